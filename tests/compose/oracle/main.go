package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// Prints the model that Compose makes of the files given for a folder: compose-model FOLDER FILE...
func main() {
	folder := os.Args[1]
	env := map[string]string{}
	if data, err := dotenv.Read(filepath.Join(folder, ".env")); err == nil {
		env = data
	}
	details := types.ConfigDetails{WorkingDir: folder, Environment: env}
	for _, name := range os.Args[2:] {
		details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: filepath.Join(folder, name)})
	}
	project, err := loader.LoadWithContext(context.Background(), details, func(o *loader.Options) {
		o.SetProjectName("p", true)
		o.SkipNormalization = true
		o.SkipConsistencyCheck = true
		o.SkipResolveEnvironment = true
		o.ResolvePaths = false
		o.Profiles = []string{"*"}
	})
	if err != nil {
		fmt.Println(string(must(json.Marshal(map[string]string{"error": err.Error()}))))
		return
	}
	fmt.Println(string(must(json.MarshalIndent(project, "", " "))))
}

func must(data []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return data
}
