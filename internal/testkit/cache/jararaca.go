package cache

import (
	"path/filepath"
	"strings"
)

// jararacaRequirements are Jararaca, the server that it was recorded with, and all that they import. Some of it is as
// old as Jararaca asks for.
var jararacaRequirements = []string{
	"aio-pika==9.6.2", "aiormq==6.9.4", "annotated-doc==0.0.7", "annotated-types==0.8.0", "anyio==4.16.0",
	"cffi==2.1.1", "click==8.5.1", "croniter==3.0.4", "cryptography==50.0.2", "fastapi==0.124.4", "frozendict==2.5.1",
	"h11==0.16.0", "idna==3.20", "jararaca==0.5.13", "Mako==1.4.3", "MarkupSafe==3.0.4", "multidict==7.2.1",
	"pamqp==3.3.0", "propcache==0.5.4", "pycparser==3.12", "pydantic==2.14.4", "pydantic_core==2.50.5", "PyJWT==2.15.1",
	"python-dateutil==4.0.0", "pytz==2026.6", "redis==5.3.1", "SQLAlchemy==2.1.9", "starlette==0.50.0",
	"tenacity==9.2.1", "typing-inspection==0.4.5", "typing_extensions==4.16.0", "tzdata==2026.6", "urllib3==2.8.0",
	"uvicorn==0.30.6", "uvloop==0.20.0", "websockets==13.1", "yarl==1.25.1",
}

// jararaca has an environment of its own: its versions are others than those of CLU.
var jararaca = component{
	name: "jararaca",
	make: func(dir string) error {
		if err := run("python3", "-m", "venv", dir); err != nil {
			return err
		}
		return pipInstall(python(dir), append([]string{"--no-deps"}, jararacaRequirements...)...)
	},
	stamp: func(dir string) string {
		base, err := filepath.EvalSymlinks(python(dir))
		if err != nil {
			return ""
		}
		return strings.Join(jararacaRequirements, "\n") + "\n" + dir + "\n" + base + "\n"
	},
}

// Jararaca returns the Python interpreter of a virtual environment that has Jararaca. The first call on a machine takes
// about half a minute.
func Jararaca() (python3 string, err error) {
	dir, err := jararaca.ready()
	if err != nil {
		return "", err
	}
	return python(dir), nil
}
