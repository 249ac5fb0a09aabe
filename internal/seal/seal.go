// Package seal records checksums of files when they are made, and finds out later
// whether the files have changed.
//
// A small text has its checksum at its end: in a JSON object the last member, "crc",
// in a TOML file the last line, a comment. The checksum is the CRC32C of all bytes
// before it, which finds every change of up to 32 bits in a row.
//
// A folder has the file MANIFEST, which lists the SHA-256 and the size of every other
// file in it and ends with its own checksum.
//
// Files from before the first version with seals have none. That is ErrNone, not damage.
package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"regexp"
)

// ErrNone is returned for a text or a folder that was made without a seal.
var ErrNone = errors.New("no digest was recorded when it was made")

// Damage is returned for a file that has changed since it was made.
type Damage struct {
	Path string
	What string // what is wrong with it
}

func (d *Damage) Error() string { return d.Path + " is damaged: " + d.What }

// IsDamage reports whether an error says that a file is damaged.
func IsDamage(err error) bool {
	var d *Damage
	return errors.As(err, &d)
}

// sum is the checksum of bytes as written in a seal.
func sum(text []byte) string {
	return fmt.Sprintf("%08x", crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)))
}

// JSON returns the JSON object of a value, sealed, on one line.
func JSON(value any) ([]byte, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return sealJSON(text, ",", "}\n")
}

// IndentedJSON returns the same with one member per line.
func IndentedJSON(value any) ([]byte, error) {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return nil, err
	}
	return sealJSON(bytes.TrimSuffix(text, []byte("\n}")), ",\n  ", "\n}\n")
}

func sealJSON(text []byte, before, after string) ([]byte, error) {
	body, object := bytes.CutSuffix(text, []byte("}"))
	if after != "}\n" { // the closing bracket was removed with its line
		body, object = text, bytes.HasPrefix(text, []byte("{\n"))
	}
	if !object || len(bytes.TrimSpace(body)) < 2 {
		return nil, fmt.Errorf("seal %.20q: want a JSON object with members", text)
	}
	body = append(bytes.Clone(body), before...)
	return append(body, `"crc":"`+sum(body)+`"`+after...), nil
}

var jsonEnd = regexp.MustCompile(`"crc":"([0-9a-f]{8})"\n?\}\n$`)

// CheckJSON compares a JSON text with its seal. The error names path.
func CheckJSON(path string, text []byte) error {
	end := jsonEnd.FindSubmatchIndex(text)
	if end == nil {
		if !json.Valid(text) {
			return &Damage{path, "it is no JSON"}
		}
		return noSeal(path)
	}
	return compare(path, text[:end[0]], string(text[end[2]:end[3]]))
}

// ReadJSON reads a file that JSON or IndentedJSON made. It also reads a file without a
// seal, which an older program wrote.
func ReadJSON(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := CheckJSON(path, text); err != nil && !errors.Is(err, ErrNone) {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return &Damage{path, err.Error()}
	}
	return nil
}

const (
	tomlHead = "# Written by headroom, with a checksum as the last line.\n"
	tomlMark = "# crc "
)

var tomlEnd = regexp.MustCompile(`# crc ([0-9a-f]{8})\n$`)

// TOML returns a text whose comments begin with # with a seal around it.
func TOML(text []byte) []byte {
	sealed := append([]byte(tomlHead), text...)
	if !bytes.HasSuffix(sealed, []byte("\n")) {
		sealed = append(sealed, '\n')
	}
	return append(sealed, tomlMark+sum(sealed)+"\n"...)
}

// CheckTOML compares a text with its seal. The error names path.
func CheckTOML(path string, text []byte) error {
	end := tomlEnd.FindSubmatchIndex(text)
	head := bytes.HasPrefix(text, []byte(tomlHead))
	switch {
	case end == nil && !head && !bytes.Contains(text, []byte(tomlMark)):
		return noSeal(path)
	case end == nil || !head:
		return &Damage{path, "the line of its checksum, or the line that announces it, is not there whole"}
	}
	return compare(path, text[:end[0]], string(text[end[2]:end[3]]))
}

func compare(path string, body []byte, recorded string) error {
	if got := sum(body); got != recorded {
		return &Damage{path, fmt.Sprintf("its checksum is %s, its bytes give %s", recorded, got)}
	}
	return nil
}

func noSeal(path string) error { return fmt.Errorf("%s: %w", path, ErrNone) }

// SumFile is the SHA-256 of a file's bytes, in hexadecimal.
func SumFile(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("digest: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", fmt.Errorf("digest: %w", err)
	}
	hash := sha256.New()
	// io.Copy would take 32 KB for each of many files of some hundred bytes.
	buffer := make([]byte, min(max(info.Size()+1, 512), 32<<10))
	if _, err := io.CopyBuffer(hash, struct{ io.Reader }{file}, buffer); err != nil {
		return "", fmt.Errorf("digest %s: %w", path, err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
