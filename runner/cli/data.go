package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"headroom/data/groups"
	"headroom/data/packages"
	"headroom/data/published"
	"headroom/data/source"
	"headroom/internal/seal"
)

func newData(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "data",
		Short: "collections by name: list, get, verify, where",
		Long: `REF names a collection (beir:scifact, msmarco:dev, trec-dl:19, nano:msmarco), a group of
collections (beir:13, nano:13), or a [[collection]] of headroom.toml. Their files are below
HEADROOM_DATA or in the cache. "headroom help collections" is the guide.`,
		Args: knownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDataList(a), newDataGet(a), newDataVerify(a), newDataWhere(a))
	return cmd
}

func newDataList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list [REF…]",
		Short: "the collections that have names: their sizes, and whether they are here",
		Example: `  headroom data list
  headroom data list beir:13 msmarco:dev`,
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := a.resolver(".")
			if err != nil {
				return err
			}
			return a.showEntries(r, args, func(entries []source.Entry) error {
				rows := [][]string{{"name", "state", "size", "documents", "queries", "what it is"}}
				for _, e := range entries {
					rows = append(rows, []string{e.Name, e.State, sizeOf(e), count(e.Counts.Documents), count(e.Counts.Queries), e.Title})
				}
				if err := a.table(rows); err != nil {
					return err
				}
				return a.printTerms(args, entries)
			})
		},
	}
}

// printTerms prints licence and citation of the collections that the command line names.
func (a *app) printTerms(asked []string, entries []source.Entry) error {
	if len(asked) == 0 {
		return nil
	}
	var order []string
	names := map[string][]string{}
	for _, e := range entries {
		terms := "licence: " + e.Licence + "\n  cite: " + e.Cite
		if e.Licence == "" {
			continue
		}
		if names[terms] == nil {
			order = append(order, terms)
		}
		names[terms] = append(names[terms], e.Name)
	}
	for _, terms := range order {
		if _, err := fmt.Fprintf(a.stdout, "\n%s\n  %s\n", strings.Join(names[terms], ", "), terms); err != nil {
			return failedError(err)
		}
	}
	return nil
}

// sizeOf is the size of an entry on disk, or of its download.
func sizeOf(e source.Entry) string {
	switch {
	case e.State == "here" && e.Bytes > 0:
		return packages.Size(e.Bytes)
	case e.Download > 0:
		return packages.Size(e.Download) + " to get"
	}
	return "-"
}

func count(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

func newDataGet(a *app) *cobra.Command {
	offline := false
	cmd := &cobra.Command{
		Use:   "get REF…",
		Short: "download collections, checked by digest and count",
		Long: `Downloads the collections that are not here, several files at a time, and resumes what an
earlier call began. A collection appears when it is whole: its files have been compared
with the published digests, unpacked and counted. HEADROOM_MIRROR is the address of a
server that has the files as HOST/PATH; HF_ENDPOINT is the address of the hub.`,
		Example: `  headroom data get beir:scifact
  headroom data get beir:13 msmarco:dev trec-dl:19 trec-dl:20`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := a.resolver(".")
			if err != nil {
				return err
			}
			r.Offline = r.Offline || offline
			if err := a.getData(cmd.Context(), r, args); err != nil {
				return err
			}
			return a.showEntries(r, groups.Expand(args), a.printFolders)
		},
	}
	cmd.Flags().BoolVar(&offline, "offline", false, "download nothing: fail where something is not here")
	return cmd
}

// getData downloads the packages that references to data lack, and shows the progress.
func (a *app) getData(ctx context.Context, r *source.Resolver, references []string) error {
	lacking, err := r.MissingPackages(references...)
	if err != nil || len(lacking) == 0 {
		return err
	}
	if !r.Offline {
		size := int64(0)
		for _, p := range lacking {
			size += p.Size()
		}
		amount := packages.Size(size)
		if size == 0 { // only the hub knows it, when it is asked
			amount = "of unknown size"
		}
		a.note("downloading %s (%s) into %s", packageNames(lacking), amount, r.Packages().Folder)
	}
	progress := a.newCounter("data, MB")
	defer progress.end()
	return r.Get(ctx, func(p packages.Progress) {
		if p.Said != "" {
			a.note("%s: %s", p.Package, p.Said)
			return
		}
		progress.at(int(p.Done/1e6), int(p.Total/1e6))
	}, references...)
}

func packageNames(list []published.Package) string {
	names := make([]string, len(list))
	for i, p := range list {
		names[i] = p.Name
	}
	return strings.Join(names, ", ")
}

func (a *app) printFolders(entries []source.Entry) error {
	rows := [][]string{{"name", "size", "folder"}}
	for _, e := range entries {
		rows = append(rows, []string{e.Name, sizeOf(e), e.Folder})
	}
	return a.table(rows)
}

func newDataVerify(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "verify REF…",
		Short: "read every byte and compare it with the digests of the download",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := a.resolver(".")
			if err != nil {
				return err
			}
			done, err := r.VerifyData(args...)
			if err != nil {
				return err
			}
			return a.showEntries(r, args, func([]source.Entry) error { return a.printVerified(done) })
		},
	}
}

func newDataWhere(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "where REF",
		Short: "the folder of a collection; an error where it is not here",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := a.resolver(".")
			if err != nil {
				return err
			}
			return a.showEntries(r, args, func(entries []source.Entry) error { return a.printFolder(r, entries[0]) })
		},
	}
}

// showEntries describes references to data: by the JSON document, or by printText.
func (a *app) showEntries(r *source.Resolver, references []string, printText func([]source.Entry) error) error {
	entries, err := r.Entries(references...)
	if err != nil {
		return err
	}
	if a.global.json {
		return a.printEntries(r, entries)
	}
	return printText(entries)
}

// printVerified prints a row for each verified package.
func (a *app) printVerified(list []source.Verified) error {
	rows := [][]string{{"package", "folder", "compared"}}
	for _, v := range list {
		compared := "digests and counts"
		if !v.Sealed {
			compared = "counts alone: it has no digests, because this program did not download it"
		}
		rows = append(rows, []string{v.Package, v.Folder, compared})
	}
	return a.table(rows)
}

// printFolder prints the folder of an entry, or returns the reason why there is none.
func (a *app) printFolder(r *source.Resolver, e source.Entry) error {
	if e.Folder != "" {
		_, err := fmt.Fprintln(a.stdout, e.Folder)
		return failedError(err)
	}
	_, err := r.Data(e.Name)
	if r.IsTraining(e.Name) {
		_, err = r.Training(e.Name)
	}
	return err
}

// dataEntry is one name in the documents of data and prepare.
type dataEntry struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"`
	State  string `json:"state"`
	Folder string `json:"folder"`
	Bytes  int64  `json:"bytes"`
	// Download is the number of bytes to download, as far as it is published.
	Download int64 `json:"download"`
	// Digest is the digest of the MANIFEST of the files here, "" if they have none;
	// Published are the published digests of the downloads.
	Digest    string           `json:"digest"`
	Published []string         `json:"published"`
	Counts    published.Counts `json:"counts"`
	Title     string           `json:"title"`
	Licence   string           `json:"licence"`
	Cite      string           `json:"cite"`
	Members   []string         `json:"members,omitempty"`
}

type dataDocument struct {
	Schema      int         `json:"schema"`
	Collections []dataEntry `json:"collections"`
}

func (a *app) printEntries(r *source.Resolver, entries []source.Entry) error {
	list, err := dataEntries(r, entries)
	if err != nil {
		return err
	}
	return a.printJSON(dataDocument{Schema: schema, Collections: list})
}

// dataEntries returns entries in the form of the JSON documents.
func dataEntries(r *source.Resolver, entries []source.Entry) ([]dataEntry, error) {
	list := []dataEntry{}
	for _, e := range entries {
		entry := dataEntry{
			Name: e.Name, Kind: e.Kind, State: e.State, Folder: e.Folder, Bytes: e.Bytes, Download: e.Download,
			Published: append([]string{}, e.Digests...), Counts: e.Counts, Title: e.Title, Licence: e.Licence, Cite: e.Cite, Members: e.Members,
		}
		if len(e.Packages) == 1 && e.State == "here" {
			if folder, err := r.Packages().Find(e.Packages[0]); err == nil {
				if entry.Digest, err = seal.Sum(folder); err != nil {
					return nil, err
				}
			}
		}
		list = append(list, entry)
	}
	return list, nil
}
