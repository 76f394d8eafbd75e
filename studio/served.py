"""The application as `studio up` serves it: made ready for very many requests in one process.

Apart from `studio.asgi`, which may be imported anywhere and changes nothing in its process.
"""

from __future__ import annotations

from studio import asgi
from studio.heap import giving_back, settle
from studio.request_threads import keep_connections, keep_few_pages, switch_often

application = giving_back(asgi.application)
keep_connections()
keep_few_pages()
switch_often()
settle()
