// SPDX-License-Identifier: MIT

// hcl FILE... reads the files of one Terraform module as Terraform does, by HashiCorp's own parser,
// and prints what their expressions come to as JSON: {"<block>.<type>.<name>": {attribute: value}}.
// References to data sources come to their own text. It fails where `terraform fmt -check` and
// `terraform validate` would: on syntax, format, names, doubles, references to what is not there.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

func check(diags hcl.Diagnostics) {
	if diags.HasErrors() {
		fail(diags.Error())
	}
}

func fail(text string) {
	fmt.Fprintln(os.Stderr, text)
	os.Exit(1)
}

func read(paths []string) map[string]*hclsyntax.Body {
	blocks := map[string]*hclsyntax.Body{}
	for _, path := range paths {
		source, err := os.ReadFile(path)
		if err != nil {
			fail(err.Error())
		}
		file, diags := hclsyntax.ParseConfig(source, path, hcl.InitialPos)
		check(diags)
		if !bytes.Equal(hclwrite.Format(source), source) {
			fail(path + ": terraform fmt would change it")
		}
		for _, block := range file.Body.(*hclsyntax.Body).Blocks {
			address := strings.Join(append([]string{block.Type}, block.Labels...), ".")
			if len(block.Labels) != 2 || !hclsyntax.ValidIdentifier(block.Labels[1]) {
				fail(address + ": not an address")
			}
			if blocks[address] != nil {
				fail(address + ": is there twice")
			}
			blocks[address] = block.Body
		}
	}
	return blocks
}

// What data.<type>.<name>.zone_id comes to: its own text.
func dataSources(blocks map[string]*hclsyntax.Body) cty.Value {
	types := map[string]map[string]cty.Value{}
	for address := range blocks {
		part := strings.Split(address, ".")
		if part[0] != "data" {
			continue
		}
		if types[part[1]] == nil {
			types[part[1]] = map[string]cty.Value{}
		}
		types[part[1]][part[2]] = cty.ObjectVal(map[string]cty.Value{
			"zone_id": cty.StringVal(address + ".zone_id")})
	}
	data := map[string]cty.Value{}
	for name, members := range types {
		data[name] = cty.ObjectVal(members)
	}
	return cty.ObjectVal(data)
}

func evaluate(body *hclsyntax.Body, context *hcl.EvalContext) map[string]interface{} {
	values := map[string]interface{}{}
	for name, attribute := range body.Attributes {
		value, diags := attribute.Expr.Value(context)
		check(diags)
		values[name] = ctyjson.SimpleJSONValue{Value: value}
	}
	for _, block := range body.Blocks {
		values[block.Type] = evaluate(block.Body, context)
	}
	return values
}

func main() {
	blocks := read(os.Args[1:])
	context := &hcl.EvalContext{Variables: map[string]cty.Value{"data": dataSources(blocks)}}
	values := map[string]interface{}{}
	for address, body := range blocks {
		values[address] = evaluate(body, context)
	}
	if err := json.NewEncoder(os.Stdout).Encode(values); err != nil {
		fail(err.Error())
	}
}
