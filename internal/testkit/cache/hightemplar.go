package cache

import (
	"path/filepath"
	"strings"
)

// highTemplarRequirements are High-templar and all that it imports.
var highTemplarRequirements = []string{"high-templar==3.1.0", "aio-pika==10.2.1", "aiofiles==25.1.0", "aiohappyeyeballs==2.7.1", "aiohttp==3.14.5", "aiormq==7.2.4",
	"aiosignal==1.4.0", "attrs==26.1.0", "blinker==1.9.0", "click==8.5.1", "Flask==3.1.3", "frozendict==2.5.1", "frozenlist==1.8.0", "h11==0.16.0", "h2==4.4.1",
	"hpack==4.2.0", "Hypercorn==0.18.0", "hyperframe==6.1.0", "idna==3.20", "itsdangerous==2.2.0", "Jinja2==3.1.6", "MarkupSafe==3.0.4", "multidict==7.2.1", "pamqp==4.0.1",
	"priority==2.0.0", "propcache==0.5.4", "python-dotenv==1.2.4", "Quart==0.22.0", "typing_extensions==4.16.0", "Werkzeug==3.1.9", "wsproto==1.3.2", "yarl==1.25.1"}

var highTemplar = component{
	name: "hightemplar",
	make: func(dir string) error {
		python3, err := CLU()
		if err != nil {
			return err
		}
		return pipInstall(python3, append([]string{"--no-deps", "--only-binary", ":all:", "--target", dir}, highTemplarRequirements...)...)
	},
	stamp: func(dir string) string {
		return clu.stamp(filepath.Join(filepath.Dir(dir), clu.name)) + strings.Join(highTemplarRequirements, "\n") + "\n"
	},
}

// HighTemplar returns the folder that the interpreter of [CLU] finds High-templar in, if PYTHONPATH names it. The first
// call on a machine takes some seconds.
func HighTemplar() (folder string, err error) { return highTemplar.ready() }
