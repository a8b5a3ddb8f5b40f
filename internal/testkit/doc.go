// Package testkit gives tests real components to test against: RabbitMQ, CLU, a browser, a WebSocket command line,
// nginx, HAProxy, Caddy, Apache, and login services in FastAPI and Django.
// It also holds the helpers that tests share. Only tests import it, and the commands below it that scripts run.
//
// # What flows through it
//
// A test package hands its TestMain to [Main], and asks for a component where it needs one:
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
//	            cache (made once a machine)              scripts/test.sh
//	              CLU, Autobahn, wscat, ...                     │
//	                       │                              summary ── go test -json, node --test
//	test ── RabbitMQ, CLU, Browser, ... ── StartProcess         │
//	  │            │                            │         "N passed, N failed, N skipped"
//	  │         Missing: skipped, but failed on CI
//	  │         LEFT OUT: with make check
//	  └──── Receive, WaitUntil, Bubble, Clock, WebSocket
//
// A test that stops, restarts, pauses or starves its broker takes a node of its own from [StartRabbitMQ]; the shared
// node refuses such calls.
//
// The cache package makes what comes from other languages' package indexes, the setup command does so ahead of the
// tests, the summary command runs all tests and counts them, and the rabbitmq command runs a node for `make bench`.
//
// # Versions of RabbitMQ
//
// A node is the installed RabbitMQ, or the one in the folder that CLU_WS_TEST_RABBITMQ names. Where versions differ, a
// test asks [Node.Version] and [Node.Khepri]. Each test that asks for a node is recorded (see [BrokerTestsFile]), so
// that `make test` and `make test-brokers` can repeat it on other versions.
//
// # What is not installed, or not wanted
//
// A component that cannot be set up goes through [Missing]: the test is skipped with a line that says so, and fails on
// CI (CI=true). `make check` leaves out the tests that need more than Go (see [GoOnlyVariable]); CI refuses that.
//
// # Nothing outlives a run
//
// Every other process is started by [StartProcess]: in a process group of its own and, on Linux, killed by the kernel
// when the test binary dies. RabbitMQ runs without epmd, the daemon that Erlang otherwise leaves running.
//
// # Waiting
//
// Within a process a test waits for the event: [Receive], [Await]. Another process has no event to give, so
// [Eventually] and [WaitUntil] poll it against a deadline. Nothing here sleeps.
package testkit
