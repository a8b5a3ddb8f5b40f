package configfile

import "testing"

// Files that dialects name are beside the configuration file, wherever the program runs.
func TestFilesOfDialectsAreBesideTheFile(t *testing.T) {
	t.Parallel()
	f := Parse("/etc/clu-ws/clu-ws.yaml", []byte("dialects:\n  - path: /s\n    socketshark:\n      http: {ca-file: ca.pem, timeout: 5s}\n"))
	if err := f.Err(); err != nil {
		t.Fatal(err)
	}
	if got := f.Dialects[0].SocketShark.HTTP.CAFile; got != "/etc/clu-ws/ca.pem" {
		t.Errorf("the file is %s", got)
	}
}
