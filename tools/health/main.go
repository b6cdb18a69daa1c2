// Package main says what GitOps tools make of an object: kstatus, which Flux and Helm 4 ask, and a rule of
// Argo CD in Lua, run by the interpreter that Argo CD has.
//
//	health [RULE.lua] < object.json
//
// prints {"kstatus": "Current", "argocd": "Healthy", "message": "Ready"}, the last two only with a rule.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	luajson "layeh.com/gopher-json"
)

func main() {
	said, err := judge(os.Stdin, os.Args[1:])
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(said); err != nil {
		log.Fatal(err)
	}
}

func judge(from io.Reader, rules []string) (map[string]string, error) {
	text, err := io.ReadAll(from)
	if err != nil {
		return nil, err
	}
	var object unstructured.Unstructured
	if err := object.UnmarshalJSON(text); err != nil {
		return nil, err
	}
	computed, err := status.Compute(&object)
	if err != nil {
		return nil, err
	}
	said := map[string]string{"kstatus": string(computed.Status)}
	// Numbers as luajson knows them; the whole numbers of Kubernetes would be nil to a rule.
	var plain map[string]any
	if err := json.Unmarshal(text, &plain); err != nil {
		return nil, err
	}
	for _, rule := range rules {
		if said["argocd"], said["message"], err = argocd(rule, plain); err != nil {
			return nil, err
		}
	}
	return said, nil
}

// argocd runs a rule: it finds the object as `obj` and returns a table with a status.
//
// A rule has the libraries that Argo CD gives it, and no others: none for strings, and of `os`, which it has to
// require, time and date.
func argocd(rule string, object map[string]any) (status, message string, err error) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{
		lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable,
	} {
		state.Push(state.NewFunction(open))
		state.Push(lua.LString(name))
		state.Call(1, 0)
	}
	state.PreloadModule(lua.OsLibName, clock)
	state.SetGlobal("obj", luajson.DecodeValue(state, object))
	if err := state.DoFile(rule); err != nil {
		return "", "", err
	}
	table, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		return "", "", fmt.Errorf("%s returns no table", rule)
	}
	field := func(name string) string { return lua.LVAsString(table.RawGetString(name)) }
	return field("status"), field("message"), nil
}

// clock is what Argo CD leaves of Lua's library os.
func clock(state *lua.LState) int {
	whole := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer whole.Close()
	whole.Push(whole.NewFunction(lua.OpenOs))
	whole.Push(lua.LString(lua.OsLibName))
	whole.Call(1, 1)
	safe := state.NewTable()
	for _, name := range []string{"time", "date"} {
		function := whole.CheckTable(-1).RawGetString(name).(*lua.LFunction)
		safe.RawSetString(name, state.NewFunction(function.GFunction))
	}
	state.Push(safe)
	return 1
}
