"""Pages that are rendered from the code are what the code says."""

from agen_authz.core.reason import REFUSALS, Reason
from tools import config_page, reasons_page


def test_page_of_reasons_is_rendered_from_the_table(golden):
    golden("docs/reasons.md", reasons_page.render())


def test_every_reason_has_a_row():
    assert set(REFUSALS) == set(Reason)


def test_page_of_the_configuration_is_rendered_from_its_models(golden):
    golden("docs/configuration.md", config_page.render())
