package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"time"

	"headroom/data/loader"
	"headroom/models/family"
	"headroom/models/hf"
	"headroom/models/splade"
	"headroom/runner/engine"
	"headroom/runner/evaluate"
	"headroom/runner/train/trainers"
	"headroom/sweeps"
)

// result is what one side measured on one shape.
type result struct {
	Shape     string    `json:"shape"`
	System    string    `json:"system"`
	Device    string    `json:"device"`
	Precision string    `json:"precision"`
	Losses    []float64 `json:"losses"`           // of the compared steps
	Digest    string    `json:"digest"`           // of the parameters after them
	First     float64   `json:"first_seconds"`    // the first step, compilation included
	Step      float64   `json:"step_seconds"`     // median of the timed steps
	Encode    float64   `json:"encode_documents"` // documents per second
	FLOP      float64   `json:"step_flop"`        // multiplications and additions of a step's products
	Peak      float64   `json:"peak_bytes"`       // on the device, 0 if not known
	Rate      float64   `json:"matmul_flops"`     // measured bfloat16 rate of the device, 0 if not measured
}

func measure(dir, shape, backend, precision string, check bool) (result, error) {
	r := result{Shape: shape, System: "headroom", Precision: precision}
	var p plan
	var list []batch
	if err := read(filepath.Join(dir, "plan.json"), &p); err != nil {
		return r, err
	}
	if err := read(filepath.Join(dir, shape, "batches.json"), &list); err != nil {
		return r, err
	}
	e, err := engine.Open(backend, 0)
	if err != nil {
		return r, err
	}
	defer e.Close()
	r.Device = e.Device()
	ck, err := hf.Load(filepath.Join(dir, shape), hf.Options{})
	if err != nil {
		return r, err
	}
	m, err := engine.NewModel(e, ck, ck.Tied)
	if err != nil {
		return r, err
	}
	defer m.Close()
	if err := m.SetPrecision(precision); err != nil {
		return r, err
	}
	s, err := trainers.New(m, settings(p, precision))
	if err != nil {
		return r, err
	}
	r.FLOP = flop(m.Config, p)
	steps := len(list) + p.Timed
	if check {
		steps = len(list)
	}
	var times []float64
	for i := range steps {
		b := list[i%len(list)]
		start := time.Now()
		values, err := s.Step(i, loader.Batch{Queries: b.Queries, Documents: b.Documents})
		if err != nil {
			s.Close()
			return r, err
		}
		seconds := time.Since(start).Seconds()
		switch {
		case i == 0:
			r.First = seconds
			r.Losses = append(r.Losses, float64(values["loss"]))
		case i < len(list):
			r.Losses = append(r.Losses, float64(values["loss"]))
		default:
			times = append(times, seconds)
		}
		if i == len(list)-1 {
			if err := s.Sync(); err != nil {
				s.Close()
				return r, err
			}
			r.Digest = digest(m)
		}
	}
	s.Close()
	if check {
		return r, nil
	}
	slices.Sort(times)
	r.Step = times[len(times)/2]
	r.Encode, err = encode(m, list, p)
	return r, err
}

// settings train as gpu_peer.py does: constant rate and λ, no dropout.
func settings(p plan, precision string) sweeps.RunConfig {
	cfg := sweeps.Defaults()
	cfg.Seed = 1
	cfg.Train.Steps, cfg.Train.Batch, cfg.Train.LR, cfg.Train.Warmup, cfg.Train.Schedule = 1000, p.Queries, p.LR, 0, "constant"
	cfg.Train.Precision, cfg.Data.Negatives = precision, p.Documents/p.Queries-1
	cfg.Data.MaxQuery, cfg.Data.MaxDocument = p.QueryTokens, p.DocumentTokens
	cfg.Regularizer.LambdaQuery, cfg.Regularizer.LambdaDocument, cfg.Regularizer.RampKind = p.LambdaQuery, p.LambdaDocument, "constant"
	zero := 0.0
	cfg.Model.Dropout = &zero
	return cfg
}

// encode measures documents per second, from token ids to sparse vectors in memory, as an
// evaluation encodes a collection.
func encode(m *engine.Model, list []batch, p plan) (float64, error) {
	var ids [][]int32
	for i := range p.Timed {
		ids = append(ids, list[i%len(list)].Documents...)
	}
	encoder := evaluate.FromModel(m, nil, splade.Form{}, evaluate.EncoderOptions{})
	// The first time compiles every shape.
	var speed float64
	for range 2 {
		start := time.Now()
		vectors, err := encoder.EncodeTokens(context.Background(), ids, nil)
		if err != nil {
			return 0, err
		}
		speed = float64(len(ids)) / time.Since(start).Seconds()
		active := 0
		for _, v := range vectors {
			active += len(v.Terms)
		}
		if active == 0 {
			return 0, errors.New("encode: no term is active")
		}
	}
	return speed, nil
}

// flop counts the operations of a step's products on padded tokens, 2 per element: forward, and twice as many
// backward.
func flop(cfg hf.Config, p plan) float64 {
	inner := 2.0 // matrices between hidden and intermediate
	if cfg.Graph() == family.Rotary {
		inner = 3
	}
	h, v := float64(cfg.Hidden), float64(cfg.Vocab)
	total := 0.0
	for _, side := range [][2]int{{p.Queries, p.QueryTokens}, {p.Documents, p.DocumentTokens}} {
		texts, tokens := float64(side[0]), float64(side[1])
		layer := 4*h*h + inner*h*float64(cfg.Intermediate) + 2*tokens*h
		total += texts * tokens * (float64(cfg.Layers)*layer + h*h + h*v)
	}
	return 3 * 2 * total
}

func digest(m *engine.Model) string {
	hash := sha256.New()
	var word [4]byte
	for _, p := range m.Params {
		for _, x := range p.Values {
			binary.LittleEndian.PutUint32(word[:], math.Float32bits(x))
			hash.Write(word[:])
		}
	}
	return hex.EncodeToString(hash.Sum(nil))
}
