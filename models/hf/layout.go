package hf

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"headroom/internal/modelfolder"
)

// Module is one line of modules.json.
type Module struct {
	Name, Path, Type string
}

// openLayout finds the transformer's folder and reads sentence-transformers' files if there are any.
func openLayout(folder string) (transformer string, se *SparseEncoder, err error) {
	info, err := os.Stat(folder)
	if err != nil {
		return "", nil, err
	}
	if !info.IsDir() {
		return "", nil, fmt.Errorf("%q is not a folder", folder)
	}
	if err := modelfolder.CheckFiles(folder); err != nil {
		return "", nil, err
	}
	path := filepath.Join(folder, "modules.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return folder, nil, nil
	}
	if err != nil {
		return "", nil, err
	}
	se = &SparseEncoder{}
	if se.Modules, se.Notices, err = parseModules(path, text); err != nil {
		return "", nil, err
	}
	transformer = filepath.Join(folder, filepath.FromSlash(se.Modules[0].Path))
	if err := se.readPooling(folder); err != nil {
		return "", nil, err
	}
	return transformer, se, se.readEncoder(filepath.Join(folder, "config_sentence_transformers.json"))
}

// parseModules reads modules.json: the first module must be a transformer, paths must stay inside the folder. A sparse
// encoder is a transformer and a SpladePooling; any other module that would change its vectors is refused.
func parseModules(path string, text []byte) (list []Module, notices []string, err error) {
	var lines []json.RawMessage
	if err := json.Unmarshal(text, &lines); err != nil {
		return nil, nil, fmt.Errorf("read %s: is not a list of modules: %w", path, err)
	}
	if len(lines) == 0 {
		return nil, nil, fmt.Errorf("read %s: the list of modules is empty", path)
	}
	var faults []error
	for i, raw := range lines {
		f, err := readFields(fmt.Sprintf("%s: module %d", path, i), raw)
		if err != nil {
			return nil, nil, err
		}
		m := Module{Name: f.text("name"), Path: f.text("path"), Type: f.word("type")}
		if m.Path != "" && !filepath.IsLocal(filepath.FromSlash(m.Path)) {
			f.fault("path", fmt.Sprintf("%q leaves the folder", m.Path), "a path inside it")
		}
		switch kind := m.class(); {
		case m.Type == "":
		case !strings.HasPrefix(m.Type, "sentence_transformers."):
			f.fault("type", fmt.Sprintf("%q is not a module of sentence-transformers", m.Type), "sentence_transformers.…")
		case kind == "Router" || kind == "Asym":
			f.fault("type", fmt.Sprintf("%q encodes queries and documents by different modules, which is not supported", m.Type),
				"one encoder for both: MLMTransformer and SpladePooling; if a folder inside this one is such an encoder, name that folder")
		case i == 0 && kind != "Transformer" && kind != "MLMTransformer":
			f.fault("type", fmt.Sprintf("%q is not a transformer", m.Type), "…Transformer or …MLMTransformer")
		case kind == "SparseAutoEncoder" || kind == "SparseStaticEmbedding":
			f.fault("type", fmt.Sprintf("%q is not supported", m.Type), "MLMTransformer and SpladePooling")
		}
		if raw, ok := f.values["kwargs"]; ok && f.has("kwargs") && string(raw) != "[]" && string(raw) != "{}" {
			f.fault("kwargs", shorten(raw)+" is not passed on", "an empty list")
		}
		if names := f.unreadKeys([]string{"idx", "kwargs"}); len(names) > 0 {
			notices = append(notices, notObeyed(f.file, names))
		}
		faults = append(faults, f.err())
		list = append(list, m)
	}
	return list, notices, errors.Join(append(faults, checkSparse(path, list))...)
}

// checkSparse refuses every module but the two of a sparse encoder.
func checkSparse(path string, list []Module) error {
	sparse := slices.IndexFunc(list, func(m Module) bool { return m.class() == "SpladePooling" })
	if sparse < 0 || len(list) == 2 && sparse == 1 {
		return nil
	}
	var names []string
	for i, m := range list[1:] {
		if i+1 != sparse {
			names = append(names, m.class())
		}
	}
	return fmt.Errorf("read %s: it has %s beside the transformer and SpladePooling, which would change the vectors and is not implemented (allowed: MLMTransformer and SpladePooling alone)", path, strings.Join(names, ", "))
}

// notObeyed names, in one sentence, the members of a file that are neither obeyed nor known to be harmless.
func notObeyed(file string, names []string) string {
	return fmt.Sprintf("%s: %s: not known, so not obeyed; if one of these keys changes vectors, these are not the vectors of sentence-transformers", file, strings.Join(names, ", "))
}

// class is the last part of a module's type: the packages before it changed between versions 5 and 6.
func (m Module) class() string { return m.Type[strings.LastIndexByte(m.Type, '.')+1:] }

// readOptional reads an object from a file; a file that is not there reads as empty.
func readOptional(path string) (*fields, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = []byte("{}"), nil
	}
	if err != nil {
		return nil, err
	}
	return readFields(path, text)
}

// oneOf reads a required string from a closed set.
func (f *fields) oneOf(field string, allowed ...string) string {
	got := f.word(field)
	for _, a := range allowed {
		if got == a {
			return got
		}
	}
	if got != "" {
		f.fault(field, fmt.Sprintf("%q is not known", got), strings.Join(allowed, ", "))
	}
	return ""
}
