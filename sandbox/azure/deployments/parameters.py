"""Values of a template's parameters: declared types, defaults and limits, against what the caller gives.

https://learn.microsoft.com/azure/azure-resource-manager/templates/parameters
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.azure.deployments.expressions import Functions, check, evaluate
from sandbox.azure.deployments.lazy import Lazy
from sandbox.azure.deployments.problems import invalid_template, not_here

#: Type in lower case -> as Azure's answers spell it.
TYPES: Mapping[str, str] = {
    "string": "String",
    "securestring": "SecureString",
    "int": "Int",
    "bool": "Bool",
    "object": "Object",
    "secureobject": "SecureObject",
    "array": "Array",
}
_SETTINGS = {
    "type",
    "defaultvalue",
    "allowedvalues",
    "minvalue",
    "maxvalue",
    "minlength",
    "maxlength",
    "metadata",
}


@dataclass(frozen=True)
class Parameter:
    """One parameter as declared; `type` is a key of `TYPES`, `settings` have lower-case names."""

    name: str
    type: str
    settings: Mapping[str, Any]

    @property
    def secure(self) -> bool:
        return self.type.startswith("secure")


def is_of(value: Any, kind: str) -> bool:
    """Whether a JSON value has a template type (a key of `TYPES`)."""
    match kind.removeprefix("secure"):
        case "string":
            return isinstance(value, str)
        case "int":
            return isinstance(value, int) and not isinstance(value, bool)
        case "bool":
            return isinstance(value, bool)
        case "object":
            return isinstance(value, Mapping)
        case _:
            return isinstance(value, list)


def declared(section: Mapping[str, Any]) -> dict[str, Parameter]:
    """The `parameters` of a template by lower-case name. Raises ArmError InvalidTemplate."""
    found: dict[str, Parameter] = {}
    for name, entry in section.items():
        if not isinstance(entry, Mapping):
            raise invalid_template(f"The template parameter '{name}' must be an object")
        settings = {str(key).lower(): value for key, value in entry.items()}
        strange = sorted(settings.keys() - _SETTINGS)
        if strange:
            raise invalid_template(f"The template parameter '{name}' has unknown settings: {strange}")
        kind = str(settings.get("type", "")).lower()
        if kind not in TYPES:
            raise invalid_template(
                f"The template parameter '{name}' has the type '{settings.get('type')}'; allowed are "
                f"{', '.join(TYPES.values())}"
            )
        found[name.lower()] = Parameter(str(name), kind, settings)
    return found


def values(known: Mapping[str, Parameter], given: Mapping[str, Any], functions: Functions) -> Lazy:
    """Every parameter's value, looked up by name whatever its case.

    `given` is the request's `{name: {"value": …}}`. Defaults may use `functions` and other parameters.
    Raises ArmError InvalidTemplate for what is missing, unknown, ill-typed or not allowed.
    """
    sent = {name.lower(): _sent(name, entry) for name, entry in given.items()}
    strange = [name for name in given if name.lower() not in known]
    if strange:
        raise invalid_template(
            f"The template parameters '{', '.join(strange)}' in the parameters file are not valid; they are "
            "not present in the original template and can therefore not be provided at deployment time. The "
            "only supported parameters for this template are "
            f"'{', '.join(parameter.name for parameter in known.values())}'. Please see "
            "https://aka.ms/arm-pass-parameter-values for usage details"
        )
    found: Lazy

    def compute(key: str) -> Any:
        parameter = known[key]
        if key in sent:
            return _checked(parameter, sent[key])
        if "defaultvalue" in parameter.settings:
            return _checked(parameter, evaluate(parameter.settings["defaultvalue"], inner))
        raise invalid_template(
            f"The value for the template parameter '{parameter.name}' is not provided. Please see "
            "https://aka.ms/arm-create-parameter-file for usage details"
        )

    found = Lazy("parameter", {key: parameter.name for key, parameter in known.items()}, compute)
    inner = {**functions, "parameters": found.function}
    for parameter in known.values():
        check(parameter.settings.get("defaultvalue"), inner)
    for key in known:
        found.get(key)
    return found


def _sent(name: str, entry: Any) -> Any:
    if isinstance(entry, Mapping) and entry.get("reference") is not None:
        raise not_here(f"references to Key Vault (parameter '{name}'); give its value")
    if isinstance(entry, Mapping) and entry.get("expression") is not None:
        raise not_here(f"parameters given as expressions (parameter '{name}'); give its value")
    if not isinstance(entry, Mapping) or "value" not in entry:
        raise invalid_template(f"The parameter '{name}' must be an object with a 'value'")
    return entry["value"]


def _checked(parameter: Parameter, value: Any) -> Any:
    if not is_of(value, parameter.type):
        raise invalid_template(
            f"Template parameter JToken type is not valid. The provided value for the template parameter "
            f"'{parameter.name}' is not valid: expected a value of type '{TYPES[parameter.type]}'"
        )
    settings = parameter.settings
    allowed = settings.get("allowedvalues")
    if allowed is not None and not _allowed(value, allowed):
        shown = "" if parameter.secure else f" '{value}'"
        raise invalid_template(
            f"The provided value{shown} for the template parameter '{parameter.name}' is not valid. The "
            f"parameter value is not part of the allowed value(s): '{','.join(map(str, allowed))}'"
        )
    size = value if isinstance(value, int) else len(value)
    unit = "value" if isinstance(value, int) else "length"
    least, most = settings.get(f"min{unit}"), settings.get(f"max{unit}")
    if (least is not None and size < least) or (most is not None and size > most):
        raise invalid_template(
            f"The provided value for the template parameter '{parameter.name}' is not valid. Its {unit} must "
            f"be between '{least}' and '{most}'"
        )
    return value


def _allowed(value: Any, allowed: Any) -> bool:
    """An array may be one of the allowed arrays, or have only allowed elements."""
    if not isinstance(allowed, list):
        return False
    return value in allowed or (isinstance(value, list) and all(item in allowed for item in value))
