package pool_test

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"testing"
	"time"

	"headroom/runner/pool"
)

// The tests run this test binary again as the worker: with fakeWorker set it
// does what its arguments say instead of testing.
const fakeWorker = "HEADROOM_POOL_FAKE_WORKER"

func TestMain(m *testing.M) {
	switch os.Getenv(fakeWorker) {
	case "":
		os.Exit(m.Run())
	case "worker":
		os.Exit(fake(os.Args[1:]))
	case "parent":
		os.Exit(fakeParent(os.Args[1:]))
	}
}

// fake carries out one command after the other and returns the exit code.
func fake(commands []string) int {
	interrupted, parent := make(chan os.Signal, 4), os.Getppid()
	for _, command := range commands {
		name, value, _ := strings.Cut(command, "=")
		switch name {
		case "progress": // step/steps
			step, steps, _ := strings.Cut(value, "/")
			m := pool.Message{Type: pool.TypeProgress, Phase: "train", Step: number(step), Steps: number(steps), Rate: 2.5, Loss: 0.75}
			if m.Write(os.Stdout) != nil {
				return 1
			}
		case "waiting":
			pool.Message{Type: pool.TypeWaiting, Message: value}.Write(os.Stdout)
		case "note":
			pool.Message{Type: pool.TypeNotice, Message: value}.Write(os.Stdout)
		case "print":
			fmt.Println(value)
		case "complain":
			fmt.Fprintln(os.Stderr, value)
		case "touch":
			os.WriteFile(value, []byte(strconv.Itoa(os.Getpid())), 0o644)
		case "env": // NAME@file: writes the variable's value
			name, file, _ := strings.Cut(value, "@")
			os.WriteFile(file, []byte(os.Getenv(name)), 0o644)
		case "append": // letter@file
			letter, file, _ := strings.Cut(value, "@")
			f, _ := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
			f.WriteString(letter)
			f.Close()
		case "sleep":
			d, _ := time.ParseDuration(value)
			time.Sleep(d)
		case "catch":
			signal.Notify(interrupted, os.Interrupt)
		case "wait": // until a signal, at most so long
			d, _ := time.ParseDuration(value)
			select {
			case <-interrupted:
			case <-time.After(d):
				return 9
			}
		case "meet": // own@other: makes its own file, and returns once the other is there
			own, other, _ := strings.Cut(value, "@")
			os.WriteFile(own, nil, 0o644)
			for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
				if _, err := os.Stat(other); err == nil {
					break
				}
				if time.Now().After(deadline) {
					return 7
				}
			}
		case "orphan": // returns once the parent is gone
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			gone := false
			pool.WatchParent(ctx, parent, 10*time.Millisecond, func() { gone = true })
			if !gone {
				return 8
			}
		case "ignore":
			signal.Ignore(sigterm)
		case "kill":
			p, _ := os.FindProcess(os.Getpid())
			p.Kill()
			time.Sleep(time.Minute)
		case "exit":
			return number(value)
		}
	}
	return 0
}

// fakeParent is a pool that runs one worker with the given commands; the test
// kills it.
func fakeParent(commands []string) int {
	os.Setenv(fakeWorker, "worker")
	_, err := pool.Run(context.Background(), []pool.Job{{ID: "child", Label: "child", Args: commands}}, pool.Options{Executable: os.Args[0]})
	if err != nil {
		return 1
	}
	return 0
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1
	}
	return n
}

func options(t *testing.T, slots int) pool.Options {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return pool.Options{Executable: self, Slots: slots, Env: append(os.Environ(), fakeWorker+"=worker")}
}

func job(id string, commands ...string) pool.Job {
	return pool.Job{ID: id, Kind: "run", Label: id, Args: commands}
}

// await returns once the file is there.
func await(t *testing.T, path string) string {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if text, err := os.ReadFile(path); err == nil && len(text) > 0 {
			return string(text)
		}
	}
	t.Fatalf("%s did not appear", path)
	return ""
}
