"""Prints the signature of a path that baseplate makes: secrets file, name of the secret, path, seconds."""

import datetime
import sys

from baseplate.lib.crypto import make_signature
from baseplate.lib.secrets import SecretsStore

file, name, path, seconds = sys.argv[1:]
secret = SecretsStore(file).get_versioned(name)
print(make_signature(secret, path, datetime.timedelta(seconds=int(seconds))).decode())
