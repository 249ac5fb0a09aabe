package worker

import (
	"errors"
	"fmt"
	"strings"

	"headroom/runner/engine"
	"headroom/runner/train"
)

// withRemedies adds settings that need less memory to an error about a full device memory.
// Other errors stay as they are.
func withRemedies(err error, ways ...string) error {
	if !errors.Is(err, engine.ErrDeviceMemory) {
		return err
	}
	return fmt.Errorf("%w; %s", err, strings.Join(ways, "; or "))
}

// withTrainingRemedies adds the settings with which a training step needs less memory.
func (a *attempt) withTrainingRemedies(err error) error {
	t := a.cfg.Train
	var same, ways []string
	switch {
	case t.MicroBatch == 0 && t.Batch > 1:
		same = append(same, fmt.Sprintf("set train.micro_batch (now the whole batch of %d)", t.Batch))
	case t.MicroBatch > 1:
		same = append(same, fmt.Sprintf("lower train.micro_batch (now %d)", t.MicroBatch))
	}
	if !a.cfg.Compute.Remat {
		same = append(same, "set compute.remat = true")
	}
	if same != nil {
		ways = append(ways, strings.Join(same, " or ")+": the same run resumes")
	}
	return withRemedies(err, append(ways, fmt.Sprintf("lower data.max_document (now %d), which makes it another run", a.cfg.Data.MaxDocument))...)
}

// withEncodingRemedies adds the settings with which an evaluation needs less memory. It has
// tried single texts already.
func (a *attempt) withEncodingRemedies(err error) error {
	where := `on the CPU, with compute.backend = "go"`
	if a.cfg.Train.Precision == "bfloat16" { // which the Go backend refuses
		where = "on a device with more memory"
	}
	return withRemedies(err, "evaluate "+where+": the same run resumes",
		fmt.Sprintf("lower data.max_document (now %d), which makes it another run", a.cfg.Data.MaxDocument))
}

// rescue writes a checkpoint if the device's memory was full: the device still has the
// state before that step.
func (a *training) rescue(err error) error {
	if !errors.Is(err, engine.ErrDeviceMemory) || a.reached.step == a.reached.saved {
		return err
	}
	return errors.Join(err, a.save(forResuming))
}

// withPretrainingRemedies adds the settings with which a recipe's step needs less memory.
// Like rescue it saves the state before that step.
func (b *backboneJob) withPretrainingRemedies(m *engine.Model, s train.Pretrainer, err error) error {
	var ways []string
	if !b.Remat {
		ways = append(ways, "set compute.remat = true (pretrain --remat): the same backbone resumes")
	}
	ways = append(ways, fmt.Sprintf("lower train.batch (now %d) or data.max_length (now %d) of the recipe, which makes it another one", b.recipe.Train.Batch, b.recipe.Data.MaxLength))
	if !errors.Is(err, engine.ErrDeviceMemory) || b.step == b.saved {
		return withRemedies(err, ways...)
	}
	return errors.Join(withRemedies(err, ways...), b.save(m, s, false))
}

// withRestart adds to a fault of the device from where the work will resume: from the
// checkpoint of a step (0: none), or after training.
func withRestart(err error, saved int, trained bool) error {
	if !errors.Is(err, engine.ErrDeviceLost) && !errors.Is(err, engine.ErrDeviceMemory) {
		return err
	}
	from := "there is no checkpoint yet, training begins again at step 0"
	switch {
	case trained:
		from = "training is done and kept: only what is not measured yet is left"
	case saved > 0:
		from = fmt.Sprintf("training resumes from the checkpoint of step %d", saved)
	}
	return fmt.Errorf("%w; %s", err, from)
}
