"""A form's faults as its page calls the fields."""

from collections.abc import Iterator
from contextlib import contextmanager

from appliance.errors import FormError


@contextmanager
def fields_of(element: str, own: str) -> Iterator[None]:
    """Name the fields of a form as its page calls them, without the settings' key in front.

    Args:
        element: Its key, such as `doors.front`.
        own: What the page calls its id.

    Raises:
        FormError: The one raised within, with the page's names.
    """
    try:
        yield
    except FormError as error:
        named = {key.removeprefix(f"{element}."): words for key, words in error.fields.items()}
        fields = {own if name == "id" else name: words for name, words in named.items()}
        raise FormError(
            "it was not saved", fields=fields, hint=error.hint or "look at what is marked"
        ) from None
