// Package testkit gives the tests of the other packages the real world to test against: a real
// RabbitMQ, a real CLU, a real browser, a real WebSocket command line. Only tests import it, and the
// commands below it that scripts run.
//
// # What flows through it
//
// A test package hands its TestMain to [Main], and asks for what it needs where it needs it:
//
//	func TestMain(m *testing.M) { testkit.Main(m) }
//
//	func TestReplyReachesTheClient(t *testing.T) {
//		broker := testkit.RabbitMQ(t)            // one a test binary, started on first use
//		clu := testkit.CLU(t)                    // a virtual environment, made once a machine
//		clu.StartActor(t, broker.URL(), "lvmecp")
//		...
//	}
//
// A test that stops, restarts, pauses or starves its broker takes a node of its own from
// [StartRabbitMQ]; the shared node refuses such calls.
//
// The cache package makes what comes from other languages' package indexes; the setup command does
// so ahead of the tests, and the summary command runs all tests and counts them for `make test`. The
// rabbitmq command lends a node to `make bench`.
//
// # Versions of RabbitMQ
//
// The node is the installed RabbitMQ, or the one in the folder that CLU_WS_TEST_RABBITMQ names. What the
// versions do differently a test asks [Node.Version] and [Node.Khepri] about. Each test that asks for a node
// is noted (see [BrokerTestsFile]), so that `make test` and `make test-brokers` can run it again on others.
//
// # What is not there
//
// A component that cannot be set up goes through [Missing]: on a developer's machine the test is
// skipped in one loud line, on CI (CI=true) it fails. No test goes quiet on CI.
//
// # Nothing outlives a run
//
// Every outside process is started by [StartProcess]: in its own process group, tied on Linux to
// the life of the test binary, so that even a killed test leaves no process behind. RabbitMQ runs
// without epmd, the daemon that Erlang otherwise leaves running for ever.
//
// # Waiting
//
// Inside one process a test waits for the event. An outside process has no event to give, so
// [Eventually] polls it against a deadline. Nothing here sleeps.
package testkit
