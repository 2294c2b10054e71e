"""Kill a download of 5 MB at random moments, each time look at what is left, and let the next one complete it.

python tests/support/kill_download.py 100
"""

import gzip
import pickle
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mirrors import CONTENT, idx_bytes, published, serving

from mnist_bp.data.download.cache import MANIFEST
from mnist_bp.data.download.fetch import download

PROGRAM = """if True:
    import pickle, sys
    from pathlib import Path
    from mnist_bp.data.download.fetch import download
    dataset, folder = pickle.load(sys.stdin.buffer)
    print("ready", flush=True)
    download(dataset, folder)
"""


def fetching_process(folder, dataset):
    """Another process that downloads; it has just begun."""
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    pickle.dump((dataset, folder), process.stdin)
    process.stdin.close()
    assert process.stdout.readline() == b"ready\n"
    return process


def kill_at_random(folder, dataset, content, moments, *, longest, seed=0):
    """Kill ``moments`` downloads into ``folder`` within ``longest`` seconds. Return the number that left parts.

    The final names always have the published content. After the next download, no other files are left.
    """
    rng = random.Random(seed)
    with_parts = 0
    for _ in range(moments):
        with fetching_process(folder, dataset) as process:
            time.sleep(rng.uniform(0, longest))
            process.kill()
        left = {path.name: path.read_bytes() for path in folder.glob("*")}
        with_parts += any(name.endswith(".part") for name in left)
        assert all(content[name] == found for name, found in left.items() if name in content)
        download(dataset, folder)
        whole = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != MANIFEST}
        assert whole == content
        for name in rng.sample(sorted(content), rng.randint(1, 4)):
            (folder / name).unlink()
    return with_parts


def main():
    """Do it as often as the command line says."""
    moments = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    content = CONTENT | {name: idx_bytes((6000, 28, 28)) for name in CONTENT if "images" in name}
    zipped = {name: gzip.compress(whole, compresslevel=1) for name, whole in content.items()}
    with tempfile.TemporaryDirectory() as temporary, serving(content, zipped) as server:
        dataset, folder = published(server.url("slices"), content=content, zipped=zipped), Path(temporary) / "mnist"
        started = time.perf_counter()
        download(dataset, folder)
        seconds = time.perf_counter() - started
        parts = kill_at_random(folder, dataset, content, moments, longest=seconds)
    print(f"{moments} downloads of {seconds:.1f} s killed, {parts} left parts; all completed by the next one")  # noqa: T201 - a script


if __name__ == "__main__":
    main()
