"""A login service with tickets, in FastAPI, as a callback of style post asks it.

    python3 login_fastapi.py PORT

A page of the application gets a ticket, with which its user opens one WebSocket. GET /seen shows what the bridge
asked.
"""

import secrets
import sys

import uvicorn
from fastapi import Body, FastAPI, Response

app = FastAPI()
tickets: dict[str, dict] = {}  # what a ticket gives, until it is used
users: dict[str, dict] = {}    # who is signed in
seen: list[dict] = []


@app.post("/tickets")
def ticket(user: dict = Body()):
    """Signs a user in: {"name": "ada", "role": "observer"}."""
    users[user["name"]] = user
    made = secrets.token_urlsafe()
    tickets[made] = user
    return {"ticket": made}


@app.delete("/users/{name}")
def sign_out(name: str):
    users.pop(name, None)


@app.get("/seen")
def show():
    return seen


@app.post("/ws-login")
def ws_login(asked: dict = Body()):
    seen.append({key: value for key, value in asked.items() if key != "ticket"})
    if "event" in asked:
        return Response(status_code=204)
    if asked.get("op") in ("subscribe", "command"):
        if asked.get("command_string", "").startswith("shutdown"):
            return {"status": "error", "error": "Nobody shuts this telescope down remotely."}
        return {"status": "ok", "data": {"extra": asked.get("extra")}}
    if asked.get("op") == "renew":
        user = users.get(asked["name"])
    else:
        user = tickets.pop(asked["ticket"], None)
    if user is None:
        return {"status": "error", "error": "This ticket was used, or you have signed out."}
    return {"status": "ok", "expires_in": 3600, "renew_in": 600, **user}


class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets=sockets)
        print("ready", flush=True)


Server(uvicorn.Config(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")).run()
