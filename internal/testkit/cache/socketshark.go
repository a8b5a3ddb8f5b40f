package cache

import (
	"path/filepath"
	"strings"
)

// socketSharkRequirements are SocketShark and what it imports. It needs the last aioredis before 2.
var socketSharkRequirements = []string{
	"socketshark==0.5.0", "aioredis==1.3.1", "websockets==13.1", "aiohappyeyeballs==2.7.1", "aiohttp==3.14.5", "aiosignal==1.4.0",
	"async-timeout==5.0.1", "attrs==26.1.0", "click==8.5.1", "frozenlist==1.8.0", "hiredis==3.5.0", "idna==3.20", "multidict==7.2.1",
	"propcache==0.5.4", "structlog==26.1.0", "typing-extensions==4.16.0", "yarl==1.25.1",
}

var socketShark = component{
	name: "socketshark",
	make: func(dir string) error {
		python3, err := CLU()
		if err != nil {
			return err
		}
		return pipInstall(python3, append([]string{"--no-deps", "--target", dir}, socketSharkRequirements...)...)
	},
	stamp: func(dir string) string {
		return clu.stamp(filepath.Join(filepath.Dir(dir), clu.name)) + strings.Join(socketSharkRequirements, "\n") + "\n"
	},
}

// SocketShark returns the folder that the interpreter of [CLU] finds SocketShark 0.5.0 in, if PYTHONPATH names it. The
// first call on a machine takes some seconds.
func SocketShark() (folder string, err error) { return socketShark.ready() }
