.DEFAULT_GOAL := help
.PHONY: help run build check test test-brokers test-upgrade fuzz mutate bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

run: build ## a broker, actors and the page on this machine; needs Go only
	bin/clu-ws demo

build: ## build bin/clu-ws
	go build -o bin/clu-ws ./cmd/clu-ws

check: ## formatting, vet, staticcheck and the tests that need Go only; a minute
	@scripts/check.sh

test: ## set up what is missing, then run all checks and tests
	@scripts/test.sh

test-brokers: ## run what uses RabbitMQ on 3.10, 4.0, 4.3 and clusters of each, and on Qpid
	@scripts/test-brokers.sh

test-upgrade: ## upgrade from another version and back under systemd, as root; VERSION=v1.2.3, or any commit
	@scripts/test-upgrade.sh $(VERSION)

fuzz: ## run every fuzz target for 20 seconds
	@scripts/fuzz.sh

mutate: ## measure tests by mutation, an hour; PACKAGES=./bridge/filter measures one package
	@scripts/mutate.sh $(PACKAGES)

bench: build ## measure against bare programs, eleven minutes; ARGS=--help tells more
	@scripts/bench.sh $(ARGS)

clean: ## remove all that was built or set up in this folder
	rm -rf bin .cache
