"""Bodies of requests: how large they get before somebody is asked who sends them; how deep."""

from __future__ import annotations

import asyncio
import json

import pytest
from django.test import Client

from studio.asgi import application
from tests.factories import make_user, make_workspace
from tests.web.api_world import call, make_world

MEGABYTE = 1024 * 1024


class Upload:
    """A client that sends a body without end, a megabyte at a time, until it is answered."""

    def __init__(self, method, path, **headers):
        self.sent, self.status, self.body, self.headers = 0, 0, b"", {}
        named = {"host": "localhost", **headers}
        self.scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "client": ("203.0.113.9", 1),
            "server": ("localhost", 80),
            "headers": [
                (name.replace("_", "-").encode(), value.encode()) for name, value in named.items()
            ],
        }

    async def run(self, most):
        await application(self.scope, self._chunks(most), self._take)
        return self

    def _chunks(self, most):
        async def receive():
            if self.status:
                return {"type": "http.disconnect"}
            if self.sent >= most:
                await asyncio.sleep(3600)  # nothing follows; the answer ends it
            self.sent += MEGABYTE
            return {
                "type": "http.request",
                "body": bytes(MEGABYTE),
                "more_body": self.sent < most,
            }

        return receive

    async def _take(self, message):
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = dict(message["headers"])
        self.body += message.get("body", b"")


def send(method, path, most=20 * MEGABYTE, **headers):
    return asyncio.run(Upload(method, path, **headers).run(most))


@pytest.mark.django_db(transaction=True)
def test_a_large_body_is_taken_from_whoever_is_known_and_only_where_files_are_sent(
    settings, tmp_path
):
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    world = make_world(tmp_path / "runs")
    browser = Client()
    browser.force_login(world.alice)
    bearer = f"Bearer {world.tokens['alice_write']}"
    cookie = f"sessionid={browser.cookies['sessionid'].value}"
    large = "/api/v1/snapshots"

    # Nobody: refused at the 12th megabyte, or before the first where the length is told.
    for path in ("/sign-in/", large, "/sweeps/new/", "/api/2.0/mlflow-artifacts/artifacts/x/y/z"):
        refused = send("POST", path)
        assert (refused.status, refused.sent) == (413, 12 * MEGABYTE), path
        assert refused.headers[b"connection"] == b"close"
    told = send("POST", large, content_length=str(20 * MEGABYTE))
    assert (told.status, told.sent) == (413, 0)
    assert "valid token" in json.loads(told.body)["detail"]
    for forged in ("Bearer st_guessed", "Bearer run_guessed", "Basic OnN0X2d1ZXNzZWQ="):
        assert send("POST", large, authorization=forged).status == 413
    assert send("POST", large, cookie="sessionid=guessed").status == 413

    # Somebody: where a form is sent the same, where a file is sent all of it.
    assert send("POST", "/account/password/", cookie=cookie).status == 413
    whole = send("POST", large, authorization=bearer, content_type="application/zip")
    assert (whole.status, whole.sent) == (422, 20 * MEGABYTE)
    assert send("POST", "/sweeps/new/", cookie=cookie).status == 403  # no CSRF token in it
    # And never more than the address takes.
    endless = send("POST", large, authorization=bearer, content_length=str(400 * MEGABYTE))
    assert (endless.status, endless.sent) == (413, 0)


@pytest.mark.django_db
def test_json_of_any_depth_is_answered(tmp_path, settings):
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    world = make_world(tmp_path / "runs")
    token = world.tokens["alice_admin"]

    for depth in (50, 500, 990, 100_000):
        nest = "[" * depth + "1" + "]" * depth
        bodies = {
            "/sweeps": f'{{"search_space": {{"x": ["choice", {nest}]}}, "tags": {{"a": {nest}}}}}',
            "/sweeps/check": f'{{"search_space": {{"x": {{"type": "choice", "values": {nest}}}}}}}',
            "/imports": f'{{"format": "sweep-studio/sweep", "version": 1, "runs": [{nest}]}}',
            f"/runs/{world.run.public_id}/metrics": f'{{"reports": [{{"value": {nest}}}]}}',
            "/webhooks": f'{{"name": {nest}, "url": "https://h.example/", "events": {nest}}}',
        }
        for path, body in bodies.items():
            answer = call("POST", path, token=token, body=body)
            assert answer.status_code in (200, 400, 422), (path, depth, answer.content[:300])


@pytest.mark.django_db
def test_a_form_has_few_files(client):
    alice = make_user("alice")
    make_workspace(alice)
    client.force_login(alice)
    boundary = "x"
    part = '--x\r\nContent-Disposition: form-data; name="f{0}"; filename="{0}"\r\n\r\na\r\n'
    body = "".join(part.format(n) for n in range(200)) + "--x--\r\n"

    answer = client.post(
        "/sweeps/new/", body.encode(), content_type=f"multipart/form-data; boundary={boundary}"
    )

    assert answer.status_code == 400
