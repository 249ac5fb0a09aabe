package alternate_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"headroom/internal/alternate"
)

const role = "HEADROOM_ALTERNATE_TEST"

func TestMain(m *testing.M) {
	if kind := os.Getenv(role); kind != "" {
		turns := 0.0
		if err := alternate.Serve(os.Stdin, os.Stdout, func() (float64, error) {
			if turns++; kind == "fails" && turns == 2 {
				return 0, errors.New("out of luck")
			}
			return turns, nil
		}); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func peer(t *testing.T, kind string) *alternate.Peer {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), role+"="+kind)
	p, err := alternate.Start(kind, command)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func TestPeersTakeTurns(t *testing.T) {
	results, err := alternate.Run(3, peer(t, "a"), peer(t, "b"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if len(r.Losses) != 4 || r.Losses[3] != 4 || r.Median < 0 {
			t.Errorf("got %+v", r)
		}
	}
}

func TestAPeersFaultHasItsName(t *testing.T) {
	_, err := alternate.Run(3, peer(t, "a"), peer(t, "fails"))
	if err == nil || !strings.Contains(err.Error(), "fails") || !strings.Contains(err.Error(), "out of luck") {
		t.Errorf("got %v", err)
	}
	if _, err := alternate.Start("nothing", exec.Command("true")); err == nil || !strings.Contains(err.Error(), "nothing") {
		t.Errorf("got %v", err)
	}
}
