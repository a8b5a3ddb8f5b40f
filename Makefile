.DEFAULT_GOAL := help
.PHONY: help run build check test test-brokers test-upgrade soak fuzz mutate bench bench-peers bare dist clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

run: build ## a broker, actors and the page on this machine; ARGS="--port 9000" hands flags on
	bin/clu-ws demo $(ARGS)

build: ## build bin/clu-ws; needs Go only
	@scripts/need-go.sh
	go build -o bin/clu-ws ./cmd/clu-ws

check: ## formatting, vet, staticcheck and the tests that need Go only; a minute
	@scripts/check.sh

test: ## set up what is missing, then run all checks and tests
	@scripts/test.sh

test-brokers: ## run what uses RabbitMQ on 3.10, 4.0, 4.3 and clusters of each, and on Qpid
	@scripts/test-brokers.sh

test-upgrade: ## upgrade from another version and back under systemd, as root; VERSION=v1.2.3, or any commit
	@scripts/test-upgrade.sh $(VERSION)

soak: ## let everything fail at random for an hour, or FOR=5m, and check all promises
	@scripts/soak.sh

fuzz: ## run every fuzz target for 20 seconds
	@scripts/fuzz.sh

mutate: ## measure tests by mutation, an hour; PACKAGES=./bridge/filter measures one package
	@scripts/mutate.sh $(PACKAGES)

bench: build ## measure against bare programs, eleven minutes; ARGS=--help tells more
	@scripts/bench.sh $(ARGS)

bench-peers: build ## measure beside other servers, nine minutes; ARGS=--help tells more
	@scripts/bench-peers.sh $(ARGS)

bare: ## make run and go install in an empty Debian, as root; TREE="debian13 busybox" takes others
	@scripts/bare.sh $(TREE)

dist: ## make a release in dist/, and try it; RELEASE=1 demands the tag of the version
	@scripts/dist.sh

clean: ## remove all that was built or set up in this folder
	rm -rf bin dist .cache
