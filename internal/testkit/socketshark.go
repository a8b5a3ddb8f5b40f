package testkit

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit/cache"
)

// SocketShark returns the folder that the interpreter of [CLU] finds SocketShark 0.5.0 in, if PYTHONPATH names it.
func SocketShark(t testing.TB) (folder string) {
	t.Helper()
	need(t, "SocketShark")
	folder, err := cache.SocketShark()
	if err != nil {
		Missing(t, "SocketShark", "cannot install it: "+err.Error())
	}
	return folder
}

// StartSocketShark starts SocketShark 0.5.0 with a configuration, which is a Python module, and returns once it takes
// connections.
func StartSocketShark(t testing.TB, config string) *Process {
	t.Helper()
	modules := SocketShark(t)
	cmd := CLU(t).Command(t, "import runpy\nrunpy.run_module('socketshark', run_name='__main__')\n", "-c", "shark_config")
	if err := os.WriteFile(filepath.Join(cmd.Dir, "shark_config.py"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(cmd.Env, "PYTHONPATH="+modules+string(os.PathListSeparator)+cmd.Dir)
	p := StartProcess(t, cmd)
	p.Output.WaitFor(t, pythonTimeout, "ready")
	return p
}
