package main

import (
	"context"
	"fmt"
	"os"

	"github.com/clu-ws/clu-ws/internal/testkit"
	"github.com/clu-ws/clu-ws/internal/testkit/cache"
)

// rabbitMQ runs the newest RabbitMQ that can be set up, with its protocols for browsers at two ports, until stdin ends.
func rabbitMQ(ctx context.Context, stompPort, mqttPort string) error {
	newest, err := cache.NewestRabbitMQ()
	if err != nil {
		return err
	}
	if err := os.Setenv("CLU_WS_TEST_RABBITMQ", newest.Bin); err != nil {
		return err
	}
	lines := []string{"stomp.listeners.tcp = none", "mqtt.listeners.tcp = none"}
	for name, port := range map[string]string{"web_stomp": stompPort, "web_mqtt": mqttPort} {
		lines = append(lines, fmt.Sprintf("%s.tcp.ip = 127.0.0.1", name), fmt.Sprintf("%s.tcp.port = %s", name, port))
	}
	return testkit.RunRabbitMQ(ctx, os.Stdin, os.Stdout,
		testkit.WithPlugins("rabbitmq_web_stomp", "rabbitmq_web_mqtt"), testkit.WithConfig(lines...))
}
