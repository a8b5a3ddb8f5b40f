package cache

import (
	_ "embed"
	"os"
	"path/filepath"
)

//go:embed qpid.xml
var qpidProject string

var qpid = component{
	name: "qpid",
	make: func(dir string) error {
		project := filepath.Join(dir, "pom.xml")
		if err := os.WriteFile(project, []byte(qpidProject), 0o644); err != nil {
			return err
		}
		return run("mvn", "--quiet", "--batch-mode", "--file", project,
			"dependency:copy-dependencies", "-DoutputDirectory="+filepath.Join(dir, "lib"))
	},
	stamp: func(string) string { return qpidProject },
}

// Qpid returns the Java class path of Apache Qpid Broker-J, which Maven fetches. The first call on a
// machine takes about a quarter of a minute.
func Qpid() (classPath string, err error) {
	dir, err := qpid.ready()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "lib", "*"), nil
}
