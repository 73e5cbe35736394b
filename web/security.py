"""What every answer tells the browser not to do, and the pages of the API's documentation without inline scripts."""

from __future__ import annotations

from flask import Flask, Response, current_app, g, request

from web import session as sessions

CSP = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
# A night's Data Docs and a mail are documents of another hand: an origin of their own, no way out, no forms.
DOCS_CSP = (
    "sandbox allow-scripts allow-popups; default-src 'self' data: 'unsafe-inline'; connect-src 'none'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
MAIL_CSP = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"

SWAGGER_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Bianzhi API</title>
<link rel="icon" href="/static/mark.svg" type="image/svg+xml">
<link rel="stylesheet" href="swagger/css/swagger-ui.css">
</head>
<body>
<div id="swagger-ui" data-document="openapi.json"></div>
<script src="swagger/js/swagger-ui-bundle.js"></script>
<script src="/static/api-docs.js"></script>
</body>
</html>
"""
API_HOME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Bianzhi API</title>
<link rel="icon" href="/static/mark.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/portal.css">
</head>
<body>
<main class="narrow">
<h1>Bianzhi API v1</h1>
<ul><li><a href="swagger">Swagger UI</a></li><li><a href="openapi.json">openapi.json</a></li></ul>
</main>
</body>
</html>
"""


def register(app: Flask) -> None:
    """Set the headers on every answer, errors included."""
    app.after_request(_headers)


def _headers(response: Response) -> Response:
    own = response.headers
    own.setdefault("Content-Security-Policy", CSP)
    own["X-Content-Type-Options"] = "nosniff"
    own["Referrer-Policy"] = "same-origin"
    own["Cross-Origin-Opener-Policy"] = "same-origin"
    own["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    own["X-Request-ID"] = g.get("request_id", "-")
    if "frame-ancestors 'self'" not in own["Content-Security-Policy"]:
        own["X-Frame-Options"] = "DENY"
    if current_app.config["SESSION_COOKIE_SECURE"]:
        own["Strict-Transport-Security"] = "max-age=31536000"
    if request.endpoint != "static":
        # Figures of persons stay out of shared caches and of the back button after signing out. What anybody may see says
        # so itself (web/public_cache.py), and is the same for everybody who reads its language.
        own["Cache-Control"] = g.get("cache_control", "no-store")
        own["Vary"] = g.get("vary", "Cookie, Accept-Language, Authorization")
    if g.get("new_visit"):
        sessions.keep_cookie(response, g.new_visit)
    return response
