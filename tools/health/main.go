// Package main says what GitOps tools make of an object: kstatus, which Flux and Helm 4 ask, and a rule of
// Argo CD in Lua, run by the interpreter that Argo CD has.
//
//	health [RULE.lua] < object.json
//
// prints {"kstatus": "Current", "argocd": "Healthy"}, the second only with a rule.
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
	for _, rule := range rules {
		if said["argocd"], err = argocd(rule, object.Object); err != nil {
			return nil, err
		}
	}
	return said, nil
}

// argocd runs a rule: it finds the object as `obj` and returns a table with a status.
func argocd(rule string, object map[string]any) (string, error) {
	state := lua.NewState()
	defer state.Close()
	state.SetGlobal("obj", luajson.DecodeValue(state, object))
	if err := state.DoFile(rule); err != nil {
		return "", err
	}
	table, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		return "", fmt.Errorf("%s returns no table", rule)
	}
	return lua.LVAsString(table.RawGetString("status")), nil
}
