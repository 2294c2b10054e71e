"""Names of classes in messages."""

import pytest

from mnist_bp.reports.class_names import ClassNames


@pytest.mark.parametrize("digit", [8, 11, 18, 80, 89])
def test_a_digit_has_the_article_that_is_spoken(digit):
    """As in "an eighty"; the others have ``a``."""
    assert ClassNames().called(digit) == f"an {digit}"
    assert ClassNames().called(digit - 1) == f"a{'n' if digit == 89 else ''} {digit - 1}"


def test_a_name_needs_no_article():
    """It stands before the number, in tables as in sentences."""
    clothes = ClassNames(("Shirt", "Ankle boot"))
    assert (clothes.kind, clothes.label(1), clothes.called(1)) == ("class", "Ankle boot 1", "Ankle boot 1")
    assert (ClassNames().kind, ClassNames().label(1), ClassNames().called(1)) == ("digit", "1", "a 1")
