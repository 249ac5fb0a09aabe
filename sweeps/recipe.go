package sweeps

import (
	"fmt"
	"math"
	"reflect"
	"strings"

	"headroom/models/family"
)

// LoadRecipe reads a pretraining recipe as strictly as a sweep.
func LoadRecipe(path string) (*Recipe, error) {
	text, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return ParseRecipe(path, text)
}

// ParseRecipe is LoadRecipe for a text at hand; name stands for the file.
func ParseRecipe(name string, text []byte) (*Recipe, error) {
	doc, syntax := readDocument(name, text)
	if syntax != nil {
		return nil, Faults{*syntax}
	}
	r := RecipeDefaults()
	schema := newSchema(recipeFields(), recipeRules())
	var faults Faults
	read := doc.fill(reflect.ValueOf(&r).Elem(), schema, &faults)
	if r.Start.Folder != "" && !read.found["model.positions"] {
		r.Model.Positions = 0
	}
	for _, rule := range recipeRules() {
		if rule.required && !read.found[rule.key] {
			faults.add(missingFault(name, rule))
		}
		if f, _, _ := schema.field(rule.key); rule.float32 && read.found[rule.key] && !read.refused[rule.key] {
			rule.checkFloat32(name, f.of(reflect.ValueOf(r)), &faults)
		}
	}
	for _, f := range acrossRecipe(r, read) {
		f.File = name
		faults.add(f)
	}
	if err := faults.orNil(); err != nil {
		return nil, err
	}
	return &r, nil
}

// TOML writes a recipe whole; ParseRecipe reads it back.
func (r Recipe) TOML() []byte { return tomlText(reflect.ValueOf(r), recipeFields()) }

// RecipeID is the identity of the backbone that a recipe makes. Digests of folders
// enter it in place of the references.
func RecipeID(r Recipe, in Inputs) ID {
	var b strings.Builder
	b.WriteString("headroom recipe 1\n")
	b.WriteString(canonicalSettings(reflect.ValueOf(r), reflect.ValueOf(RecipeDefaults()), recipeFields(), func(f field) bool {
		return f.key == "start.folder" || f.key == "tokenizer" || f.key == "data.text"
	}))
	in.write(&b)
	CurrentSemantics().write(&b, recipeComponents())
	return digest(b.String())
}

// recipeRules has one rule for every key of Recipe.
func recipeRules() []rule {
	shape := func(key string) rule {
		return integer(key, 0, maxLength, "integer ≥ 1; 0 or left out: as in start.folder")
	}
	return []rule{
		text("name", "letters, digits, '.', '_' and '-', at most 100, beginning with a letter or digit", wrongName).asRequired(),
		integer("seed", 0, math.MaxInt64, "integer ≥ 0"),
		choice("model.architecture", family.New()...),
		shape("model.hidden"), shape("model.layers"), shape("model.heads"), shape("model.intermediate"),
		integer("model.positions", 0, maxLength, "integer ≥ 2; 0: as in start.folder"),
		integer("model.local_attention", 2, maxLength, "integer ≥ 2, in tokens"),
		integer("model.global_every", 1, maxCount, "integer ≥ 1"),
		flag("model.tie"),
		number("model.init_std", positive, "number > 0").inFloat32(),
		number("model.dropout", belowOne, "number, 0 ≤ x < 1"),
		text("start.folder", "a folder (./FOLDER, /FOLDER, data:PATH) or a hub name", wrongStart),
		choice("start.head", "keep", "new"),
		text("tokenizer", `a folder or tokenizer.json (./…, /…, data:PATH), or "builtin:demo"`, wrongReference),
		texts("data.text", "a reference to data, or a list of them", wrongReference).asRequired(),
		integer("data.extra_texts", 0, 10_000_000, "integer ≥ 0"),
		number("data.extra_query_share", share, "share, 0 ≤ x ≤ 1"),
		integer("data.max_length", 2, maxLength, "integer, 2 … model.positions"),
		number("mask.share", func(x float64) bool { return x > 0 && x <= 1 }, "share of tokens, 0 < x ≤ 1"),
		number("mask.mask", share, "share, 0 ≤ x ≤ 1"),
		number("mask.random", share, "share, 0 ≤ x ≤ 1"),
		number("mask.keep", share, "share, 0 ≤ x ≤ 1"),
		integer("train.steps", 1, maxSteps, "integer ≥ 1").asRequired(),
		integer("train.batch", 1, maxCount, "integer ≥ 1, in texts"),
		number("train.lr", notNegative, "number ≥ 0").inFloat32(),
		choice("train.schedule", ScheduleKinds()...),
		number("train.warmup", share, "share of train.steps, 0 ≤ x ≤ 1"),
		number("train.clip", notNegative, "number ≥ 0; 0 is no clipping").inFloat32(),
		number("train.weight_decay", notNegative, "number ≥ 0").inFloat32(),
		number("train.flops", notNegative, "number ≥ 0; 0 is none").inFloat32(),
		number("train.beta1", belowOne, "number, 0 ≤ x < 1"),
		number("train.beta2", belowOne, "number, 0 ≤ x < 1"),
		choice("train.precision", "float32", "bfloat16"),
	}
}

func wrongStart(s string) string {
	if strings.HasPrefix(s, "recipe:") {
		return "a recipe cannot start from another recipe's backbone"
	}
	return wrongReference(s)
}

// acrossRecipe finds the keys of a recipe that are missing or contradict each other.
func acrossRecipe(r Recipe, read keysRead) []Fault {
	var faults []Fault
	fault := func(key, value, message, allowed string) {
		faults = append(faults, Fault{Key: key, Value: value, Message: message, Allowed: allowed})
	}
	if r.Start.Folder == "" && !read.refused["start.folder"] {
		if r.Model.Architecture == "" && !read.refused["model.architecture"] {
			fault("model.architecture", "", "is missing", quoteAll(family.New())+", or a start.folder to take it from")
		}
		for _, size := range []struct {
			key string
			n   int
		}{
			{"model.hidden", r.Model.Hidden}, {"model.layers", r.Model.Layers},
			{"model.heads", r.Model.Heads}, {"model.intermediate", r.Model.Intermediate},
		} {
			if size.n == 0 && !read.refused[size.key] {
				message := "is missing"
				if read.found[size.key] {
					message = "is zero"
				}
				fault(size.key, "", message, "integer ≥ 1, or a start.folder to take it from")
			}
		}
		if r.Model.Positions < 2 {
			fault("model.positions", fmt.Sprint(r.Model.Positions), "too small", "integer ≥ 2")
		}
		if r.Tokenizer == "" && !read.refused["tokenizer"] {
			fault("tokenizer", "", "is missing", `a reference, "builtin:demo", or a start.folder to take it from`)
		}
		if r.Start.Head != "keep" {
			fault("start.head", quote(r.Start.Head), "there is no start.folder to take a head from", "")
		}
	}
	if m := r.Model; m.Heads > 0 && m.Hidden%m.Heads != 0 {
		fault("model.heads", fmt.Sprint(m.Heads), fmt.Sprintf("does not divide model.hidden = %d", m.Hidden), "")
	}
	if p := r.Model.Positions; p > 0 && r.Data.MaxLength > p {
		fault("data.max_length", fmt.Sprint(r.Data.MaxLength), fmt.Sprintf("longer than model.positions = %d", p), "")
	}
	if read.found["data.text"] && !read.refused["data.text"] && len(r.Data.Text) == 0 {
		fault("data.text", "[]", "names nothing", "at least one reference")
	}
	if r.Data.ExtraTexts > 0 && len(r.Data.Text) > 0 && !contains(r.Data.Text, "builtin:demo") {
		fault("data.extra_texts", fmt.Sprint(r.Data.ExtraTexts), "extra texts are made of the built-in world, which data.text does not name", `0, or "builtin:demo" in data.text`)
	}
	if r.Data.ExtraTexts == 0 && !read.refused["data.extra_texts"] && r.Data.ExtraQueryShare > 0 {
		fault("data.extra_query_share", literal(reflect.ValueOf(r.Data.ExtraQueryShare)), "there are no data.extra_texts to take a share of", "")
	}
	if sum := r.Mask.Mask + r.Mask.Random + r.Mask.Keep; math.Abs(sum-1) > 1e-9 {
		fault("mask", fmt.Sprintf("%g + %g + %g", r.Mask.Mask, r.Mask.Random, r.Mask.Keep), "mask.mask, mask.random and mask.keep do not sum to 1", "")
	}
	return faults
}
