"""Who may do what on the running platform: expected as data, measured over the wire, and both compared.

Operations are registered here, in the order of the document, whichever module is imported first.
"""

from __future__ import annotations

from tests.live.privileges import control_planes, data_planes, database  # noqa: F401  (they register)
