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
		Long: `Collections that have a name (beir:scifact, msmarco:dev, trec-dl:19, nano:msmarco) or
stand for several (beir:13, nano:13). REF is such a name, a group, or one of headroom.toml.
They lie below HEADROOM_DATA or in the cache. "headroom help collections" says more.`,
		Args: knownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDataList(a), newDataGet(a), newDataVerify(a), newDataWhere(a))
	return cmd
}

func newDataList(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list [REF…]",
		Short: "what has a name, how large it is, and whether it is here",
		Example: `  headroom data list
  headroom data list beir:13 msmarco:dev`,
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := a.resolver(".")
			if err != nil {
				return err
			}
			entries, err := r.Entries(args...)
			if err != nil {
				return err
			}
			if a.global.json {
				return a.printEntries(r, entries)
			}
			rows := [][]string{{"name", "state", "size", "documents", "queries", "what it is"}}
			for _, e := range entries {
				rows = append(rows, []string{e.Name, e.State, sizeOf(e), count(e.Counts.Documents), count(e.Counts.Queries), e.Title})
			}
			if err := a.table(rows); err != nil {
				return err
			}
			return a.printTerms(args, entries)
		},
	}
}

// printTerms prints licence and citation of what was asked for by name.
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
			return failed(err)
		}
	}
	return nil
}

// sizeOf is how large an entry is on disk, or how much is to be downloaded.
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
		Long: `Downloads what of the collections is not here, several files at a time, and goes on
from what an earlier call brought. A collection is there when it is whole: its files were
compared with the published digests, unpacked and counted. HEADROOM_MIRROR is an address
under which the files stand as HOST/PATH; HF_ENDPOINT is that of the hub.`,
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
			entries, err := r.Entries(groups.Expand(args)...)
			if err != nil {
				return err
			}
			if a.global.json {
				return a.printEntries(r, entries)
			}
			return a.printFolders(entries)
		},
	}
	cmd.Flags().BoolVar(&offline, "offline", false, "download nothing: fail where something is not here")
	return cmd
}

// getData brings what references to data lack, and shows how far it is.
func (a *app) getData(ctx context.Context, r *source.Resolver, references []string) error {
	lacking, err := r.Lacking(references...)
	if err != nil || len(lacking) == 0 {
		return err
	}
	if !r.Offline {
		size := int64(0)
		for _, p := range lacking {
			size += p.Size()
		}
		amount := packages.Size(size) + " to download"
		if size == 0 { // the hub says it when it is asked
			amount = "of a size that is not published"
		}
		a.note("bringing %s, %s, into %s", packageNames(lacking), amount, r.Packages().Folder)
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
		Short: "read every byte and compare it with the digests it came with",
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
			if a.global.json {
				entries, err := r.Entries(args...)
				if err != nil {
					return err
				}
				return a.printEntries(r, entries)
			}
			rows := [][]string{{"package", "folder", "compared"}}
			for _, v := range done {
				compared := "digests and counts"
				if !v.Sealed {
					compared = "counts alone: it has no digests, somebody else put it there"
				}
				rows = append(rows, []string{v.Package, v.Folder, compared})
			}
			return a.table(rows)
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
			entries, err := r.Entries(args...)
			if err != nil {
				return err
			}
			if a.global.json {
				return a.printEntries(r, entries)
			}
			if entries[0].Folder == "" { // why it cannot be had
				_, err := r.Data(args[0])
				if r.IsTraining(args[0]) {
					_, err = r.Training(args[0])
				}
				return err
			}
			_, err = fmt.Fprintln(a.stdout, entries[0].Folder)
			return failed(err)
		},
	}
}

// dataEntry is one name in the documents of data and prepare.
type dataEntry struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"`
	State  string `json:"state"`
	Folder string `json:"folder"`
	Bytes  int64  `json:"bytes"`
	// Download is how many bytes are still to come, as far as they are published.
	Download int64 `json:"download"`
	// Digest stands for the files as they lie here, "" where they have no MANIFEST;
	// Published are those of the files that are downloaded.
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

// dataEntries are entries as documents have them.
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
