package main

import (
	"github.com/spf13/cobra"
)

// newCompletionCommand writes the completion script of a shell. It is cobra's,
// with our help.
func newCompletionCommand(root *cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use:   "completion SHELL",
		Short: "Completion for bash, zsh, fish or powershell · 命令补全",
		Long:  `completion writes a script that completes tickler's commands and flags in a shell.`,
		Example: `  source <(tickler completion bash)
  tickler completion zsh > "${fpath[1]}/_tickler"
  tickler completion fish > ~/.config/fish/completions/tickler.fish`,
		Args:      nArgs("bash, zsh, fish or powershell"),
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		RunE: func(c *cobra.Command, args []string) error {
			w := c.OutOrStdout()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(w, true)
			case "zsh":
				return root.GenZshCompletion(w)
			case "fish":
				return root.GenFishCompletion(w, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(w)
			}
			return usagef("no completion for %q; want bash, zsh, fish or powershell", args[0])
		},
	}
	exits(c, plainExits...)
	return c
}
