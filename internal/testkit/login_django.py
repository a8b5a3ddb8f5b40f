"""A site with sessions, in Django, as a callback of style proxy asks it, or nginx with auth_request.

    python3 login_django.py PORT

GET /login?user=ada&role=observer signs a user in, and /logout out.
"""

import sys

import uvicorn
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpResponse, JsonResponse
from django.urls import path

settings.configure(
    SECRET_KEY="for tests only",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.sessions"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
    SESSION_ENGINE="django.contrib.sessions.backends.cache",
)


def login(request):
    request.session["user"] = request.GET["user"]
    request.session["role"] = request.GET["role"]
    return HttpResponse("You are signed in.")


def logout(request):
    request.session.flush()
    return HttpResponse("You are signed out.")


def ws_login(request):
    """What the callback asks."""
    if "user" not in request.session:
        return JsonResponse({"status": "error", "error": "You are not signed in; sign in at /login."}, status=401)
    return JsonResponse({
        "status": "ok",
        "name": request.session["user"],
        "role": request.session["role"],
        "renew_in": 600,
        "data": {"path": request.headers.get("X-Original-URI"), "address": request.headers.get("X-Real-IP")},
    })


def auth(request):
    """What nginx asks: the status says whether, and the header who."""
    if "user" not in request.session:
        return HttpResponse(status=401)
    return HttpResponse(status=204, headers={"Remote-User": request.session["user"], "Remote-Groups": request.session["role"] + "s"})


urlpatterns = [path("login", login), path("logout", logout), path("ws-login", ws_login), path("auth", auth)]


class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets=sockets)
        print("ready", flush=True)


Server(uvicorn.Config(get_asgi_application(), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", lifespan="off")).run()
