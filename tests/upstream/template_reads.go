// Prints as JSON, for each file of a Helm template that it is given, the values that the template
// reads: what generator/chart/reads.py does, by Go's own parser.
package main

import (
	"encoding/json"
	"log"
	"os"
	"text/template/parse"
)

type path []string

type reader struct {
	blocks []map[string][]path
	found  []path
}

func main() {
	reads := map[string][]path{}
	for _, file := range os.Args[1:] {
		text, err := os.ReadFile(file)
		if err != nil {
			log.Fatal(err)
		}
		trees := map[string]*parse.Tree{}
		tree := parse.New(file)
		tree.Mode = parse.SkipFuncCheck
		if _, err := tree.Parse(string(text), "", "", trees); err != nil {
			log.Fatal(err)
		}
		trees[file] = tree
		all := &reader{}
		for _, each := range trees {
			all.blocks = []map[string][]path{{}}
			all.walk(each.Root)
		}
		reads[file] = all.found
	}
	if err := json.NewEncoder(os.Stdout).Encode(reads); err != nil {
		log.Fatal(err)
	}
}

func (r *reader) walk(node parse.Node) {
	switch n := node.(type) {
	case *parse.ListNode:
		if n != nil {
			for _, child := range n.Nodes {
				r.walk(child)
			}
		}
	case *parse.ActionNode:
		r.pipe(n.Pipe, false)
	case *parse.TemplateNode:
		if n.Pipe != nil {
			r.pipe(n.Pipe, false)
		}
	case *parse.IfNode:
		r.branch(&n.BranchNode)
	case *parse.WithNode:
		r.branch(&n.BranchNode)
	case *parse.RangeNode:
		r.branch(&n.BranchNode)
	}
}

func (r *reader) branch(n *parse.BranchNode) {
	r.blocks = append(r.blocks, map[string][]path{})
	r.pipe(n.Pipe, true)
	r.walk(n.List)
	r.walk(n.ElseList)
	r.blocks = r.blocks[:len(r.blocks)-1]
}

func (r *reader) pipe(n *parse.PipeNode, keyword bool) {
	paths := r.paths(n)
	lone := len(n.Decl) > 0 && !keyword && !n.IsAssign && alone(n)
	if !lone {
		r.found = append(r.found, paths...)
		paths = nil
	}
	if !n.IsAssign {
		for _, name := range n.Decl {
			r.blocks[len(r.blocks)-1][name.Ident[0]] = paths
		}
	}
}

// alone says whether a pipeline is one value, handed to nothing.
func alone(n *parse.PipeNode) bool {
	if len(n.Cmds) != 1 || len(n.Cmds[0].Args) != 1 {
		return false
	}
	switch n.Cmds[0].Args[0].(type) {
	case *parse.FieldNode, *parse.VariableNode:
		return true
	}
	return false
}

func (r *reader) paths(node parse.Node) []path {
	var found []path
	switch n := node.(type) {
	case *parse.PipeNode:
		for _, command := range n.Cmds {
			for _, argument := range command.Args {
				found = append(found, r.paths(argument)...)
			}
		}
	case *parse.ChainNode:
		found = append(r.paths(n.Node), below(n.Field)...)
	case *parse.FieldNode:
		found = below(n.Ident)
	case *parse.VariableNode:
		name, fields := n.Ident[0], n.Ident[1:]
		if read := below(fields); read != nil {
			return read
		}
		for i := len(r.blocks) - 1; i >= 0; i-- {
			if held, ok := r.blocks[i][name]; ok {
				for _, each := range held {
					found = append(found, append(append(path{}, each...), fields...))
				}
				break
			}
		}
	}
	return found
}

// The value that fields name, of the root or of arguments that hold the root by that name.
func below(fields []string) []path {
	if len(fields) > 0 && fields[0] == "root" {
		fields = fields[1:]
	}
	if len(fields) == 0 || fields[0] != "Values" {
		return nil
	}
	return []path{append(path{}, fields[1:]...)}
}
