package testkit

import (
	"os"
	"path/filepath"
	"testing"
)

func TestATestThatAsksForARabbitMQIsNoted(t *testing.T) {
	file, folder := filepath.Join(t.TempDir(), "users"), t.TempDir()
	t.Setenv(BrokerTestsFile, file)
	t.Setenv(GoOnlyVariable, "")
	t.Chdir(folder)
	for _, name := range []string{"one", "two"} {
		t.Run(name, func(t *testing.T) { rabbitBin(t) })
	}
	noted, err := os.ReadFile(file)
	const test = "\tTestATestThatAsksForARabbitMQIsNoted/"
	if want := folder + test + "one\n" + folder + test + "two\n"; err != nil || string(noted) != want {
		t.Errorf("noted %q (%v), want %q", noted, err, want)
	}
}
