package house_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// bare are words that say neither what a function returns nor what it does to what. As the
// name of a function that reports yes or no they may do: lease.isHeld, window.falling.
var bare = strings.Fields(`
	about absent after again against alike apart asked before below beside between
	biased broken came cleaned covered degraded discounted drawn everything failed falling few fits
	foreseen known lacking lacks looking looks lower made marked mislabelled missing named needs
	of once own owned placed plain pruned quoted reach related rest said scaled several shared
	some superseded told traced under unread wanted wants within`)

// allowedBare are functions whose name is clear beside its package or its receiver.
var allowedBare = []string{
	"event.Some", // a step that is known
	"field.of",   // of a configuration
	"prepare.Of", // the needs of a plan
}

// TestFunctionsAreNamedForWhatTheyReturnOrDo finds functions with a bare word as a name.
func TestFunctionsAreNamedForWhatTheyReturnOrDo(t *testing.T) {
	functions := 0
	eachFile(t, func(path string, text []byte) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, text, parser.SkipObjectResolution)
		if err != nil {
			t.Error(err)
			return
		}
		for _, declaration := range file.Decls {
			f, ok := declaration.(*ast.FuncDecl)
			if !ok {
				continue
			}
			functions++
			if !slices.Contains(bare, strings.ToLower(f.Name.Name)) || answersYesOrNo(f) || slices.Contains(allowedBare, ownerOf(f, file)+"."+f.Name.Name) {
				continue
			}
			t.Errorf("%s: func %s: name it for what it returns (sameFile) or for what it does to what (closeStale)", set.Position(f.Pos()), f.Name.Name)
		}
	}, ".go")
	if functions < 2000 {
		t.Errorf("%d functions read: too few", functions)
	}
}

// answersYesOrNo reports whether a function's first or last result is a bool.
func answersYesOrNo(f *ast.FuncDecl) bool {
	if f.Type.Results == nil {
		return false
	}
	isBool := func(field *ast.Field) bool { name, ok := field.Type.(*ast.Ident); return ok && name.Name == "bool" }
	list := f.Type.Results.List
	return isBool(list[0]) || isBool(list[len(list)-1])
}

// ownerOf returns the name of a method's receiver type, and of a function's package.
func ownerOf(f *ast.FuncDecl, file *ast.File) string {
	if f.Recv == nil {
		return file.Name.Name
	}
	t := f.Recv.List[0].Type
	if pointer, ok := t.(*ast.StarExpr); ok {
		t = pointer.X
	}
	if name, ok := t.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}
