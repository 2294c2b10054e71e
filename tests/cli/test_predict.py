"""``mnist-bp predict``."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageDraw
from rendered_digits import read_back
from written_sets import write_idx

from mnist_bp import Network
from mnist_bp.data.choices import DATASETS
from mnist_bp.data.image_file import read_image
from mnist_bp.data.preprocess import preprocess
from mnist_bp.errors import InputError
from mnist_bp.shell import command_line

SHAPE = (28, 28)


@pytest.fixture(scope="session")
def trained(few_digits):
    """A network that knows some of the few digits."""
    train = few_digits[0].first(200)
    network = Network([784, 10], cost="cross-entropy", rng=np.random.default_rng(0))
    X, Y = train.inputs(network.dtype), network.one_hot(train.labels)
    for _ in range(50):
        network.parameters -= 0.5 * network.backpropagate(X, Y)[1].vector
    return network


@pytest.fixture
def model(trained):
    """Its file, which says that it learned synthetic digits."""
    trained.save("model.npz", {"dataset": "few", "synthetic": True})
    return "model.npz"


@pytest.fixture
def seven():
    """Dark on light, off the middle, 200 × 160 pixels."""
    page = Image.new("L", (160, 200), 255)
    ImageDraw.Draw(page).line([(60, 40), (140, 42), (90, 160)], fill=0, width=13, joint="curve")
    return page


def test_an_image_of_the_data_set_gives_the_answers_of_evaluate(cli, model, trained, few_digits):
    """The very outputs, one object for each image; and that the network never saw handwriting."""
    images = few_digits[1].images[:20]
    names = [f"{number}.png" for number in range(len(images))]
    for name, image in zip(names, images, strict=True):
        Image.fromarray(image).save(name)
    done = cli("predict", *names, "--model", model, "--json")
    outputs = trained.forward(few_digits[1].inputs(np.float32)[:20])
    assert done.code == 0
    assert [record["image"] for record in done.records] == names
    assert [record["prediction"] for record in done.records] == outputs.argmax(axis=1).tolist()
    np.testing.assert_allclose([record["outputs"] for record in done.records], outputs, rtol=1e-5)
    assert {(record["model"], record["synthetic"]) for record in done.records} == {(model, True)}
    assert set(done.records[0]) == {
        "event", "image", "prediction", "outputs", "uncertain", "several_digits", "model", "synthetic"
    }  # fmt: skip
    assert "SYNTHETIC" in done.err


def test_people_see_the_picture_the_outputs_and_the_answer(cli, model, seven):
    """As the network sees it; a bar for each output; how sure it is, and what comes next."""
    seven.save("7.png")
    out = cli("predict", "7.png", "--model", model).out
    lines = out.splitlines()
    assert lines[0] == "model  model.npz: 784-10, sigmoid, cross-entropy"
    assert "7.png" in lines
    assert any("@" in line for line in lines)
    *bars, answer = lines[-11:]
    outputs = [float(line.split()[1]) for line in bars]
    assert [line.split()[0] for line in bars] == [str(digit) for digit in range(10)]
    second, first = np.argsort(outputs)[-2:]
    assert answer.split("; ")[0] in {f"a {first} ({outputs[first]:.2f})", f"an {first} ({outputs[first]:.2f})"}
    assert answer.split("; ")[1] == f"next {second} ({outputs[second]:.2f})"
    assert bars[first].count("█") == max(line.count("█") for line in bars)
    assert max(map(len, lines)) <= 80


def test_a_script_gets_the_digit_alone(cli, model, few_digits):
    """One image gives its prediction; several give one line each, with the name."""
    image, label = few_digits[1].images[0], few_digits[1].labels[0]
    for name in ("a.png", "b.png"):
        Image.fromarray(image).save(name)
    assert cli("predict", "--quiet", "a.png", "--model", model) == (0, f"{label}\n", "")
    assert cli("predict", "--quiet", "a.png", "b.png", "--model", model).out == f"a.png: {label}\nb.png: {label}\n"


def test_classes_that_have_names_are_named(cli, trained, seven):
    """Predictions show the class names of Fashion-MNIST."""
    trained.save("fashion.npz", {"dataset": "fashion-mnist"})
    seven.save("7.png")
    [record] = cli("predict", "7.png", "--model", "fashion.npz", "--json").records
    out = cli("predict", "7.png", "--model", "fashion.npz").out
    label, name = record["prediction"], record["prediction_name"]
    assert name == DATASETS["fashion-mnist"].class_names[label]
    assert out.splitlines()[-1].startswith(f"{name} {label} (")
    assert "synthetic" not in record


def test_the_latest_run_is_the_default(cli, idx_folder, seven):
    """As everywhere."""
    cli("train", "--data-dir", idx_folder, "--limit", 50, "--epochs", 1, "--output", "run")
    seven.save("7.png")
    assert Path(cli("predict", "7.png", "--json").records[0]["model"]).resolve() == Path("run/model.npz").resolve()


def test_a_bad_image_does_not_keep_the_others_from_being_read(cli, model, seven):
    """A line for each that is bad; exit code 2 in the end."""
    seven.save("7.png")
    Path("text.png").write_text("not a picture", encoding="utf-8")
    Path("empty.png").touch()
    Path("folder.png").mkdir()
    seven.save("cut.png")
    Path("cut.png").write_bytes(Path("cut.png").read_bytes()[:200])
    Image.new("L", (300, 300), 255).save("white.png")
    done = cli("predict", "text.png", "empty.png", "7.png", "folder.png", "cut.png", "white.png", "none.png",
               "7.png", "--model", model, "--quiet")  # fmt: skip
    said = done.err.splitlines()
    assert (done.code, len(done.out.splitlines()), len(said)) == (2, 2, 6)
    assert said[0] == "mnist-bp: text.png is not a supported image: expected PNG, JPEG, GIF, BMP, PPM, WEBP, TIFF"
    assert said[1] == "mnist-bp: empty.png is empty"
    assert said[2].startswith("mnist-bp: folder.png is a folder without pictures: expected files that end in .png, ")
    assert said[3].startswith("mnist-bp: cannot read the image cut.png: ")
    assert said[4] == "mnist-bp: white.png shows no digit: it is all paper"
    assert said[5].startswith("mnist-bp: cannot read the image none.png: No such file")


def saved(image, name, **settings):
    """Its file, read again for the network."""
    image.save(name, **settings)
    return read_image(Path(name), SHAPE)


def margined(picture):
    """A picture with a transparent margin."""
    page = Image.new("LA", (picture.width + 80, picture.height + 40))
    page.paste(picture.convert("LA"), (50, 10))
    return page


def test_a_format_is_recognised_by_its_content(seven):
    """Files are often named .png whatever they hold."""
    seven.save("x.webp", lossless=True)
    Path("x.webp").rename("x.png")
    assert np.array_equal(read_image(Path("x.png"), (28, 28)), saved(seven, "y.png"))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC image"),
        (b"%PDF-1.7 ...", "a PDF document"),
        (b"\n<!DOCTYPE html><html></html>", "a web page"),
        (b'<?xml version="1.0"?>\n<svg></svg>', "an SVG drawing"),
        (b"%!PS-Adobe-3.0", "a PostScript document"),
        (b"PK\x03\x04....", "a ZIP archive"),
        (b"hello", "not a supported image"),
    ],
)
def test_a_file_that_is_no_image_is_named_by_what_it_is(content, what):
    """Whatever its name is."""
    Path("x.png").write_bytes(content)
    with pytest.raises(InputError, match=f"x.png is {what}: expected PNG"):
        read_image(Path("x.png"), (28, 28))


def test_every_kind_of_picture_is_the_same_digit(seven):
    """Grey, coloured, with few or many bits, transparent, animated, turned."""
    expected = saved(seven, "L.png")
    ink, none = Image.new("L", seven.size, 0), Image.new("L", seven.size, 255)
    transparent = Image.merge("LA", (ink, seven.point(lambda grey: 255 - grey)))
    held = Image.Exif()
    held[ExifTags.Base.Orientation] = 6
    sixteen = Image.fromarray(np.asarray(seven).astype(np.uint16) * 257)
    pictures = {
        "rgb.png": saved(seven.convert("RGB"), "rgb.png"),
        "light.png": saved(Image.fromarray(255 - np.asarray(seven)), "light.png"),
        "palette.png": saved(seven.convert("P"), "palette.png"),
        "palette, transparent": saved(seven.convert("P"), "p.png", transparency=255),
        "bits.png": saved(seven.convert("1"), "bits.png"),
        "la.png": saved(transparent, "la.png"),
        "rgba.png": saved(transparent.convert("RGBA"), "rgba.png"),
        "sixteen.png": saved(sixteen, "sixteen.png"),
        "anim.gif": saved(seven, "anim.gif", save_all=True, append_images=[none]),
        "anim.png": saved(seven, "anim.png", save_all=True, append_images=[none]),
        "turned.png": saved(seven.rotate(90, expand=True), "turned.png", exif=held),
        "x.bmp": saved(seven, "x.bmp"),
        "x.ppm": saved(seven, "x.ppm"),
        "x.tiff": saved(seven, "x.tiff"),
        "x.webp": saved(seven, "x.webp", lossless=True),
        "white ink": saved(Image.merge("LA", (none, seven.point(lambda grey: 255 - grey))), "white.png"),
        "grey margin": saved(margined(Image.fromarray(255 - np.asarray(seven))), "margin.png"),
        "x.jpg": saved(seven, "x.jpg", quality=95),
        "turned.jpg": saved(seven.rotate(90, expand=True), "turned.jpg", exif=held, quality=95),
        "cmyk.jpg": saved(seven.convert("RGB").convert("CMYK"), "cmyk.jpg", quality=95),
    }
    for name, picture in pictures.items():
        off = np.abs(picture.astype(int) - expected)
        assert off.mean() < (1.5 if name.endswith("jpg") else 0.01), name


def test_sixteen_bits_are_scaled(few_digits):
    """Also where nothing else is done to the picture."""
    image = few_digits[1].images[0]
    assert np.array_equal(saved(Image.fromarray(image.astype(np.uint16) * 257), "sixteen.png"), image)


def test_a_photo_of_many_pixels_is_read(seven):
    """12 megapixels, held upright, lit from one side."""
    photo = seven.resize((3000, 4000)).rotate(90, expand=True)
    light = np.linspace(0.6, 1, 3000)[:, np.newaxis].astype(np.float32)
    photo = Image.fromarray((np.asarray(photo) * light * 0.8 + 30).astype(np.uint8))
    held = Image.Exif()
    held[ExifTags.Base.Orientation] = 6
    expected = saved(seven.resize((300, 400)), "small.png")
    assert np.abs(saved(photo, "photo.jpg", exif=held).astype(int) - expected).mean() < 5


def test_standard_input(cli, model, seven, monkeypatch):
    """``-``, in a pipe."""
    content = io.BytesIO()
    seven.save(content, "PNG")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content.getvalue())))
    done = cli("predict", "-", "--model", model, "--json")
    assert done.code == 0, done.err
    assert done.records[0]["image"] == "-"


def test_a_closed_or_empty_standard_input_is_reported(cli, model, monkeypatch):
    """A line, and exit code 2."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    assert cli("predict", "-", "--quiet", "--model", model) == (2, "", "mnist-bp: standard input is empty\n")
    monkeypatch.setattr(sys, "stdin", None)
    assert cli("predict", "-", "--quiet", "--model", model) == (2, "", "mnist-bp: standard input is closed\n")


def test_without_pillow_nothing_else_is_reported(cli, monkeypatch):
    """Before the model is looked for: the command that installs it."""
    monkeypatch.setitem(sys.modules, "PIL", None)
    done = cli("predict", "digit.png", "--model", "nowhere")
    assert (done.code, done.out) == (2, "")
    install = command_line(sys.executable, "-m", "pip", "install", "mnist-bp[plot]")
    assert done.err == f"mnist-bp: images need Pillow, which is in the extra plot: {install}\n"


def test_a_network_that_cannot_answer_is_refused(cli, trained, seven, rng):
    """Its pixels make no square; its outputs are no numbers. Once, not for each image."""
    seven.save("7.png")
    Network([30, 3, 10], rng=rng).save("oblong.npz")
    network = Network([784, 10], rng=rng, cost="cross-entropy")
    network.parameters[:] = 3e38
    network.save("large.npz")
    for model, said in (("oblong.npz", "30 inputs are no square image"), ("large.npz", "are too large for")):
        done = cli("predict", "7.png", "7.png", "--model", model, "--quiet")
        assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
        assert said in done.err


def test_the_model_records_images_that_are_not_square(cli, seven, rng):
    """Five rows of six pixels: drawn as such."""
    seven.save("7.png")
    Network([30, 3, 10], rng=rng).save("oblong.npz", {"image_shape": (5, 6)})
    done = cli("predict", "7.png", "--model", "oblong.npz", "--json")
    assert done.code == 0
    assert len(done.records[0]["outputs"]) == 10


def test_digits_drawn_on_paper_look_as_they_do_when_prepared_at_once(few_digits):
    """Whatever their size and place; what of MNIST's test set is recognised so is measured by ``rendered_digits``."""
    images = few_digits[1].images[:20]
    expected = np.stack([preprocess(255 - image, SHAPE) for image in images])
    assert np.abs(read_back(images).astype(int) - expected).mean() < 10
    assert expected.mean() > 25


@pytest.fixture
def digits(few_digits):
    """Ten test digits in folders by class, and others in one folder with the class at the end of the name."""
    for number, (image, label) in enumerate(zip(few_digits[1].images[:20], few_digits[1].labels[:20], strict=True)):
        path = Path(f"folders/{label}/{number}.png" if number < 10 else f"names/{number}_{label}.PNG")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    Path("folders/labels.csv").write_text("no picture", encoding="utf-8")
    return few_digits[1].labels[:20]


@pytest.mark.parametrize(("folder", "options"), [("folders", []), ("names", ["--labels", "names"])])
def test_a_folder_of_labelled_pictures_gives_the_accuracy(cli, model, digits, folder, options):
    """All pictures below it; a record for each, and one with the confusion matrix."""
    *records, total = cli("predict", folder, *options, "--model", model, "--json").records
    assert len(records) == 10
    assert sorted(record["label"] for record in records) == sorted(digits[:10] if folder == "folders" else digits[10:])
    right = sum(record["label"] == record["prediction"] for record in records)
    assert (total["event"], total["examples"], total["unreadable"]) == ("pictures", 10, 0)
    assert total["accuracy"] == right / 10 == np.trace(total["confusion"]) / 10
    done = cli("predict", folder, *options, "--model", model)
    assert (done.code, done.out.splitlines()[-1]) == (0, f"accuracy {right * 10:.2f} % on 10 labelled pictures")
    assert f"{records[0]['image']}: a" in done.out
    quiet = cli("predict", folder, *options, "--model", model, "--quiet")
    assert quiet.out == f"accuracy {right * 10:.2f} % on 10 labelled pictures\n"


def test_a_folder_without_labels_is_predicted_alone(cli, model, digits):
    """One line for each picture. Labels that are asked for and missing are an error for each."""
    assert len(cli("predict", "names", "--model", model, "--quiet").out.splitlines()) == 10
    done = cli("predict", "names", "--model", model, "--labels", "folders", "--quiet")
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 10)
    assert done.err.splitlines()[0].endswith("expects the class in its folder, like 3/x.png")


def test_folders_may_be_called_by_the_names_of_classes(cli, trained, seven):
    """As those of Fashion-MNIST."""
    trained.save("fashion.npz", {"dataset": "fashion-mnist"})
    Path("x/Sneaker").mkdir(parents=True)
    seven.save("x/Sneaker/1.png")
    assert cli("predict", "x", "--model", "fashion.npz", "--json").records[0]["label"] == 7


def test_several_digits_are_a_warning(cli, model, seven):
    """Two side by side; the exit code is 0."""
    page = Image.new("L", (320, 200), 255)
    page.paste(seven, (0, 0))
    page.paste(seven, (160, 0))
    page.save("77.png")
    done = cli("predict", "77.png", "--model", model, "--json")
    assert (done.code, done.records[0]["several_digits"]) == (0, True)
    assert "warning  77.png: more than one digit?" in done.err
    seven.save("7.png")
    assert not cli("predict", "7.png", "--model", model, "--json").records[0]["several_digits"]


def test_an_uncertain_answer_is_called_uncertain(cli, few_digits, rng):
    """An untrained network has outputs that are almost equal; a trained one does not."""
    Network([784, 10], cost="cross-entropy", rng=rng).save("new.npz")
    Image.fromarray(few_digits[1].images[0]).save("x.png")
    assert cli("predict", "x.png", "--model", "new.npz").out.splitlines()[-1].endswith("; uncertain")
    certain = Network([784, 10], cost="cross-entropy", rng=rng)
    certain.biases[-1][3] = 50
    certain.save("certain.npz")
    assert not cli("predict", "x.png", "--model", "certain.npz", "--json").records[0]["uncertain"]


@pytest.mark.parametrize("transpose", [True, False])
def test_a_network_that_saw_upright_digits_classifies_upright_pictures(cli, few_digits, tmp_path, transpose):
    """A set with rows and columns exchanged gives upright digits with ``--transpose``, and others without."""
    train, _ = few_digits
    write_idx(few_digits, tmp_path / "set", transpose=True)
    options = ("--transpose",) if transpose else ()
    cli("train", "--data-dir", tmp_path / "set", *options, "--epochs", 10, "--output", "run", "--batch-size", 10)
    for number, (image, label) in enumerate(zip(train.images[:60], train.labels[:60], strict=True)):
        Path(f"upright/{label}").mkdir(parents=True, exist_ok=True)
        Image.fromarray(255 - np.pad(np.kron(image, np.ones((4, 4), np.uint8)), 20)).save(
            f"upright/{label}/{number}.png"
        )
    *_, total = cli("predict", "upright", "--model", "run", "--json").records
    assert (total["accuracy"] > 0.7) == transpose


@pytest.mark.parametrize(("is_dark", "is_inverted"), [(False, False), (True, False), (False, True)])
def test_a_network_of_another_dataset_gets_its_pictures_as_they_stand(cli, few_digits, is_dark, is_inverted, rng):
    """Its own shape and polarity, whatever the size and place of what they show; others are preprocessed."""
    stored = np.roll(few_digits[1].images[0], (4, 3), axis=(0, 1))
    inputs = 255 - stored if is_dark else stored
    network = Network([784, 10], rng=rng)
    network.save("own.npz", {"dataset": "own", "dark_on_light": is_dark, "invert": is_inverted})
    Image.fromarray(255 - inputs if is_inverted else inputs).save("x.png")
    Image.fromarray(np.pad(stored, 30)).save("large.png")
    same, large = cli("predict", "x.png", "large.png", "--model", "own.npz", "--json").records
    expected = network.forward(inputs.reshape(1, -1) / np.float32(255))[0]
    np.testing.assert_allclose(same["outputs"], expected, rtol=1e-5)
    prepared = preprocess(np.pad(stored, 30), SHAPE)
    expected = network.forward((255 - prepared if is_dark else prepared).reshape(1, -1) / np.float32(255))[0]
    np.testing.assert_allclose(large["outputs"], expected, rtol=1e-5)
