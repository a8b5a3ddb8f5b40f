package testkit

import (
	"fmt"
	"os"
	"testing"
)

// BrokerTestsFile is the environment variable that names a file to which each test that asks for a RabbitMQ appends a
// line: the folder of its package, a tab, and its name. The summary command repeats these tests on another version.
const BrokerTestsFile = "CLU_WS_TEST_RABBITMQ_USERS"

// noteBrokerTest appends the test's line.
func noteBrokerTest(t testing.TB) {
	t.Helper()
	path := os.Getenv(BrokerTestsFile)
	if path == "" {
		return
	}
	folder, err := os.Getwd() // of the package: go test starts its tests there
	if err == nil {
		err = appendLine(path, fmt.Sprintf("%s\t%s\n", folder, t.Name()))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// appendLine appends in one write, so that lines of several test binaries do not mix.
func appendLine(path, line string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(line); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}
