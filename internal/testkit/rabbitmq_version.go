package testkit

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Version is the version of a RabbitMQ.
type Version struct{ Major, Minor, Patch int }

// String returns the version as RabbitMQ writes it, such as "4.0.5".
func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) }

// AtLeast reports whether v is major.minor or later.
func (v Version) AtLeast(major, minor int) bool {
	return v.Major > major || v.Major == major && v.Minor >= minor
}

// parseVersion parses "4.0.5" or the version of a pre-release, such as "4.3.0-rc.1".
func parseVersion(s string) (v Version, err error) {
	release, _, _ := strings.Cut(s, "-")
	release, _, _ = strings.Cut(release, "+")
	numbers := strings.Split(release, ".")
	if len(numbers) != 3 {
		return Version{}, fmt.Errorf("%q is not the version of a RabbitMQ", s)
	}
	for i, to := range []*int{&v.Major, &v.Minor, &v.Patch} {
		if *to, err = strconv.Atoi(numbers[i]); err != nil {
			return Version{}, fmt.Errorf("%q is not the version of a RabbitMQ", s)
		}
	}
	return v, nil
}

// versionOf returns the version in the broker's server properties.
func versionOf(conn *amqp.Connection) (Version, error) {
	text, _ := conn.Properties["version"].(string)
	return parseVersion(text)
}

// Version returns the version that the node reports.
func (n *Node) Version() Version { return n.version }

// Khepri reports whether the node keeps its metadata in Khepri, as RabbitMQ does by default from 4.2 on,
// instead of in Mnesia. In Khepri transient exchanges and their bindings survive a restart.
func (n *Node) Khepri(t testing.TB) bool {
	t.Helper()
	// 3.x knows no such flag, for which the answer is false.
	return n.Eval(t, "rabbit_feature_flags:is_enabled(khepri_db).") == "true"
}
