package seal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// ManifestFile is the name of the list in a sealed folder.
const ManifestFile = "MANIFEST"

const manifestHead = "headroom manifest 1: SHA-256, bytes, file; the last line is the checksum of those above\n"

// Digest returns the SHA-256 of a file in hexadecimal, as SumFile does. It may return a
// remembered digest if the file has not changed since.
type Digest func(path string) (string, error)

// Manifest returns the text of the MANIFEST of a folder, which lists every file below it.
// Call it when all other files are there.
func Manifest(folder string) ([]byte, error) {
	text := []byte(manifestHead)
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil || name == ManifestFile {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		digest, err := SumFile(path)
		if err != nil {
			return err
		}
		text = fmt.Appendf(text, "%s %d %s\n", digest, info.Size(), filepath.ToSlash(name))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the files of %q: %w", folder, err)
	}
	return fmt.Appendf(text, "%s\n", sum(text)), nil
}

// listed is one line of a manifest.
type listed struct {
	digest string
	size   int64
	name   string
}

var manifestLine = regexp.MustCompile(`^([0-9a-f]{64}) ([0-9]{1,18}) ([^\x00\n]+)$`)

// cutChecksum splits the text of a MANIFEST before its last line, which must be a checksum. It does so
// without an expression, which would try every line of each of a thousand runs.
func cutChecksum(text []byte) (body []byte, sum string, ok bool) {
	lines, ok := bytes.CutSuffix(text, []byte("\n"))
	begin := bytes.LastIndexByte(lines, '\n') + 1
	sum = string(lines[begin:])
	return text[:begin], sum, ok && len(sum) == 8 && strings.Trim(sum, "0123456789abcdef") == ""
}

// parseManifest reads the text of a MANIFEST. Messages name path.
func parseManifest(path string, text []byte) ([]listed, error) {
	body, sum, ok := cutChecksum(text)
	if !ok {
		return nil, &Damage{path, "its last line is no checksum"}
	}
	if err := compare(path, body, sum); err != nil {
		return nil, err
	}
	rows, known := bytes.CutPrefix(body, []byte(manifestHead))
	if !known {
		return nil, fmt.Errorf("%s: its first line is %.80q; this program reads %q", path, firstLine(body), strings.TrimSpace(manifestHead))
	}
	var list []listed
	for line := range strings.Lines(string(rows)) {
		fields := manifestLine.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if fields == nil || !filepath.IsLocal(filepath.FromSlash(fields[3])) {
			return nil, &Damage{path, fmt.Sprintf("line %.120q is not «digest bytes file»", line)}
		}
		size, err := strconv.ParseInt(fields[2], 10, 64)
		if err != nil {
			return nil, &Damage{path, err.Error()}
		}
		list = append(list, listed{fields[1], size, fields[3]})
	}
	return list, nil
}

func firstLine(text []byte) []byte {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return line
}

// Check compares a folder with its manifest. Every file that the manifest lists must be
// there unchanged; other files may have been added. With digest nil every file is read. If
// a digest that digest returns differs, Check reads the file before it reports damage.
func Check(folder string, digest Digest) error {
	list, err := readManifest(folder)
	if err != nil {
		return err
	}
	for _, file := range list {
		if err := CheckFile(filepath.Join(folder, filepath.FromSlash(file.name)), file.size, file.digest, digest); err != nil {
			return err
		}
	}
	return nil
}

// Listed returns the digest that each file of a sealed folder had when it was made, by its name.
func Listed(folder string) (map[string]string, error) {
	list, err := readManifest(folder)
	if err != nil {
		return nil, err
	}
	files := make(map[string]string, len(list))
	for _, file := range list {
		files[file.name] = file.digest
	}
	return files, nil
}

func readManifest(folder string) ([]listed, error) {
	path := filepath.Join(folder, ManifestFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(folder); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%s: %w", folder, ErrNone)
	}
	if err != nil {
		return nil, err
	}
	return parseManifest(path, text)
}

// CheckFile compares a file with its recorded size and digest.
func CheckFile(path string, size int64, recorded string, digest Digest) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &Damage{path, "it is missing"}
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return &Damage{path, "it is no regular file"}
	case info.Size() != size:
		return &Damage{path, fmt.Sprintf("it has %d bytes, it was made with %d", info.Size(), size)}
	}
	if digest != nil {
		if known, err := digest(path); err == nil && known == recorded {
			return nil
		}
	}
	got, err := SumFile(path)
	if err != nil {
		return err
	}
	if got != recorded {
		return &Damage{path, fmt.Sprintf("its digest is %.16s…, it was made with %.16s…", got, recorded)}
	}
	return nil
}

// Sum is the digest of a folder's manifest, "sha256:…", which stands for the whole folder;
// "" if the folder has no manifest.
func Sum(folder string) (string, error) {
	digest, err := SumFile(filepath.Join(folder, ManifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return "sha256:" + digest, err
}
