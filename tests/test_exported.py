import inspect
from types import ModuleType

import pytest

import searchkit


def public(module: ModuleType) -> list[str]:
    """What a module offers under a name of its own; its submodules are reached by theirs."""
    for name in module.__all__:
        getattr(module, name)  # some are imported only now
    return sorted(
        name
        for name, value in vars(module).items()
        if not (name.startswith("_") or inspect.ismodule(value))
    )


def test_all_names_exactly_what_is_public_in_order() -> None:
    assert searchkit.__all__ == public(searchkit)


@pytest.mark.parametrize("name", searchkit.__all__)
def test_every_public_name_and_method_says_what_it_does(name: str) -> None:
    exported = getattr(searchkit, name)
    members = [
        member
        for key, member in inspect.getmembers_static(exported)
        if not key.startswith("_")
        and (callable(member) or isinstance(member, property))
        and key in vars(exported)
    ]
    assert [member for member in [exported, *members] if not inspect.getdoc(member)] == []


def test_the_example_of_the_package_is_there_for_help() -> None:
    """`help(searchkit)` shows how to build, open and search."""
    doc = searchkit.__doc__ or ""
    assert [
        call for call in ("Archive.build(", "Archive.open(", ".search(") if call not in doc
    ] == []
