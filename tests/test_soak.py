"""Training after training in one process; by the hundred, and with an eye on memory, that is what the script does."""

from soak import WAYS, soak


def test_training_after_training_leaves_no_file_and_no_thread_and_comes_to_the_same():
    """Trainings run in memory, in a folder, and interrupted and resumed, twice each."""
    first, *_, last = soak(2 * len(WAYS))
    assert last.files <= first.files
    assert last.threads <= first.threads
