import json

import pytest

from .reading import found_in


def test_the_settings_file_is_a_configuration():
    source = json.dumps({"ui": {}, "security": {"auth": {"selectedType": "qwen-oauth"}}})
    (found,) = found_in(source)
    assert found.request.shape == "qwen-code-settings"
    assert found.request.configuration
    assert found.request.blocks == []


@pytest.mark.parametrize(
    "value",
    [
        {"security": {"auth": {"selectedType": 7}}},
        {"security": {"auth": "qwen-oauth"}},
        {"auth": {"selectedType": "qwen-oauth"}},
        {"selectedType": "qwen-oauth"},
    ],
)
def test_other_json_is_left_alone(value):
    assert found_in(value) == []
