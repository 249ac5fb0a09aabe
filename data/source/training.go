package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"headroom/data/collection"
	"headroom/data/examples"
	"headroom/data/kept"
)

// Training finds the training data of a reference: a collection as Data finds it, or a file of examples (./FILE,
// /FILE, data:PATH), a folder of such files, and the published sets msmarco:triples, msmarco:hard-negatives and
// msmarco:margin-mse.
func (r *Resolver) Training(text string) (examples.Set, error) {
	ref, err := parse(text, false)
	if err != nil {
		return examples.Set{}, err
	}
	switch ref.kind {
	case kindFolder:
		return r.trainingAt(ref)
	case kindData:
		if r.DataRoot == "" {
			_, err := r.folderBelowRoot("data", ref)
			return examples.Set{}, err
		}
		return r.trainingAt(reference{text: text, name: filepath.Join(r.DataRoot, filepath.FromSlash(ref.name))})
	case kindFamily:
		for _, p := range publishedSets() {
			if ref.name != p.name {
				continue
			}
			return r.publishedOrBrought(ref, p)
		}
	}
	folder, err := r.Data(text)
	if err != nil {
		return examples.Set{}, err
	}
	return examples.FindFolder(folder)
}

// publishedOrBrought looks for a published set in the downloaded packages, and then in the
// folders where a user may have put it.
func (r *Resolver) publishedOrBrought(ref reference, p publishedSet) (examples.Set, error) {
	t, err := r.Table()
	if err != nil {
		return examples.Set{}, err
	}
	named, ok := t.Training(ref.text)
	if ok {
		if set, err := r.trainingOf(ref, named); err == nil {
			return set, nil
		}
	}
	set, err := r.publishedAt(ref, p)
	if ok && errors.Is(err, ErrUnresolved) {
		err = fmt.Errorf("%w; %s", err, r.howToGet(ref, t))
	}
	return set, err
}

func (r *Resolver) trainingAt(ref reference) (examples.Set, error) {
	candidates := r.candidates(ref.name)
	for _, path := range candidates {
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil: // it is there, and cannot be followed or entered
			return examples.Set{}, fmt.Errorf("resolve data %q: %w", ref.text, err)
		case info.IsDir():
			return examples.FindFolder(path)
		default:
			return examples.FindFile(path)
		}
	}
	return examples.Set{}, fmt.Errorf("resolve data %q: no such file or folder: %s", ref.text, strings.Join(candidates, ", "))
}

// publishedSet is a published set of examples that has a short name.
type publishedSet struct {
	name    string   // family/name
	folders []string // folders below the family's in which it may be
	files   []string // patterns of the published files' names
	what    string   // its files in words, for a user who has to put them there
}

func publishedSets() []publishedSet {
	return []publishedSet{
		{
			"msmarco/triples", []string{"triples", "."}, []string{"triples.train.small.tsv", "triples.train.small.tsv.gz"},
			"triples.train.small.tsv or triples.train.small.tsv.gz of MS MARCO",
		},
		{
			"msmarco/hard-negatives", []string{"hard-negatives", "."}, []string{"msmarco-hard-negatives.jsonl", "msmarco-hard-negatives.jsonl.gz"},
			"msmarco-hard-negatives.jsonl.gz of sentence-transformers/msmarco-hard-negatives, with MS MARCO's collection.tsv and queries.train.tsv",
		},
		{
			"msmarco/margin-mse", []string{"margin-mse", "bert-ensemble-margin-mse", "."}, []string{"bert_cat_ensemble_msmarcocolberttrain_scores_ids.tsv", "bert_cat_ensemble_msmarcocolberttrain_scores_ids.tsv.gz"},
			"the folder bert-ensemble-margin-mse of sentence-transformers/msmarco with its train-*.parquet, beside its folders corpus and queries or MS MARCO's collection.tsv and queries.train.tsv",
		},
	}
}

// publishedAt looks for a published set below HEADROOM_DATA and the cache.
func (r *Resolver) publishedAt(ref reference, p publishedSet) (examples.Set, error) {
	var looked []string
	for _, root := range []string{r.DataRoot, r.cached("data")} {
		if root == "" {
			continue
		}
		family := filepath.Join(root, filepath.Dir(filepath.FromSlash(p.name)))
		for _, name := range p.folders {
			folder := filepath.Join(family, name)
			if name == "." { // other sets may be there as well
				if files := examples.Matches(folder, p.files...); len(files) > 0 {
					return examples.Set{Files: files[:1]}, nil
				}
				continue
			}
			files, err := examples.Files(folder, p.files...)
			if err != nil || len(files) > 0 {
				return examples.Set{Files: files}, err
			}
			if _, err := collection.Open(folder); err == nil {
				return examples.Set{Folder: folder}, nil
			}
		}
		looked = append(looked, family)
	}
	where := "HEADROOM_DATA is not set; set it to a folder, and into its folder " + filepath.Dir(p.name)
	if len(looked) > 0 {
		where = "into " + strings.Join(looked, " or ")
	}
	return examples.Set{}, fmt.Errorf("resolve data %q: %w: %s put %s", ref.text, ErrUnresolved, where, p.what)
}

// Survey reads training data whole and describes it, unless the description is kept. Reading ends when the
// context ends.
func (r *Resolver) Survey(ctx context.Context, set examples.Set) (examples.Survey, error) {
	if set.Folder == "" {
		defer r.whileReading(set)()
		return examples.ReadSurvey(ctx, set, kept.Store{Dir: r.CacheDir})
	}
	facts, err := r.CollectionFacts(set.Folder, collection.Train)
	if err != nil {
		return examples.Survey{}, err
	}
	digest, err := r.DigestCollection(set.Folder, collection.Train)
	return examples.Survey{
		Rows: facts.Positives, Columns: "query, positive", Fewest: set.Folder, Digest: digest,
		EmptyQueries: facts.EmptyQueries, FirstEmptyQuery: facts.FirstEmptyQuery,
		EmptyDocuments: facts.EmptyDocuments, FirstEmptyDocument: facts.FirstEmptyDocument,
	}, err
}

// CheckBatches returns an error if training data, which Survey found sound, cannot be put
// into a run's batches in the order "shuffle".
func (r *Resolver) CheckBatches(ctx context.Context, set examples.Set, b examples.Batches) error {
	if set.Folder == "" {
		return examples.CheckBatches(ctx, set, kept.Store{Dir: r.CacheDir}, b)
	}
	facts, err := r.CollectionFacts(set.Folder, collection.Train)
	if err == nil && b.Size > facts.Together {
		err = examples.CrowdedError(facts.Together, facts.Positives, facts.Apart)
	}
	return err
}

// patience is how long files are read before a notice.
const patience = 3 * time.Second

// whileReading starts a timer that sends a notice of what is being read if that takes long. The
// function that it returns stops the timer.
func (r *Resolver) whileReading(set examples.Set) (done func()) {
	if r.Notice == nil {
		return func() {}
	}
	var bytes int64
	for _, path := range set.Files {
		if info, err := os.Stat(path); err == nil {
			bytes += info.Size()
		}
	}
	timer := time.AfterFunc(patience, func() {
		r.Notice(fmt.Sprintf("reading training data whole, once while it stays as it is: %s, %d MB", filepath.Dir(set.Files[0]), bytes/1e6))
	})
	return func() { timer.Stop() }
}
