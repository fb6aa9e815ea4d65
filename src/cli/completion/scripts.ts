/** What each shell sources. The scripts know nothing of cloud-cli: they ask it, word by word. */

const bash = `
# Completes cloud-cli in bash. In ~/.bashrc: source <(cloud-cli completion bash)
_cloud_cli() {
  local rest=\${COMP_LINE:0:COMP_POINT} torn="" answer char i word
  local words=()
  # Bash tears words at : and =; what no blank separates is put together again.
  for ((i = 0; i <= COMP_CWORD; i++)); do
    if ((i == 0)) || [[ $rest == [[:space:]]* ]]; then words+=(""); fi
    rest=\${rest#"\${rest%%[![:space:]]*}"}
    word=\${COMP_WORDS[i]}
    if ((i == COMP_CWORD)); then word=$rest; fi
    words[\${#words[@]} - 1]+=$word
    rest=\${rest#"$word"}
  done
  word=\${words[\${#words[@]} - 1]}
  COMPREPLY=()
  answer=$(cloud-cli completion candidates -- "\${words[@]:1}" 2>/dev/null </dev/null) || return 0
  case $answer in
    words*)
      # Bash replaces only what stands behind the last place where it tore.
      for char in : =; do
        if [[ $COMP_WORDBREAKS == *$char* && $word == *$char* ]]; then
          rest=\${word%"\${word##*$char}"}
          if ((\${#rest} > \${#torn})); then torn=$rest; fi
        fi
      done
      {
        read -r _
        while IFS=$'\\t' read -r word _; do COMPREPLY+=("\${word#"$torn"}"); done
      } <<<"$answer"
      ;;
    file*)
      compopt -o default 2>/dev/null || while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "\${word#"\${answer#file }"}")
      ;;
    command*)
      for ((i = 1; i < COMP_CWORD; i++)); do
        if [[ \${COMP_WORDS[i]} == -- ]]; then break; fi
      done
      if declare -F _comp_command_offset >/dev/null; then
        _comp_command_offset $((i + 1))
      elif declare -F _command_offset >/dev/null; then
        _command_offset $((i + 1))
      elif ((COMP_CWORD == i + 1)); then
        while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -c -- "\${COMP_WORDS[COMP_CWORD]}" | sort -u)
      else
        compopt -o default 2>/dev/null
      fi
      ;;
  esac
  return 0
}
complete -o nosort -F _cloud_cli cloud-cli 2>/dev/null || complete -F _cloud_cli cloud-cli
`;

const zsh = `
#compdef cloud-cli
# Completes cloud-cli in zsh. In ~/.zshrc, behind compinit: source <(cloud-cli completion zsh)
_cloud_cli() {
  local -a answer found
  local line prefix
  answer=("\${(@f)$(cloud-cli completion candidates -- "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null </dev/null)}")
  case $answer[1] in
    words)
      for line in "\${(@)answer[2,-1]}"; do
        found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
      done
      _describe -V -t candidates candidate found
      ;;
    file*)
      prefix=\${answer[1]#file }
      if [[ -n $prefix ]]; then compset -P "\${(b)prefix}"; fi
      _files
      ;;
    command*)
      shift \${answer[1]#command } words
      ((CURRENT -= \${answer[1]#command }))
      _normal
      ;;
  esac
}
if [[ $funcstack[1] == _cloud_cli ]]; then
  _cloud_cli "$@"
else
  compdef _cloud_cli cloud-cli
fi
`;

const fish = `
# Completes cloud-cli in fish. In ~/.config/fish/config.fish: cloud-cli completion fish | source
function __cloud_cli_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l answer (cloud-cli completion candidates -- $words[2..-1] "$word" 2>/dev/null </dev/null)
    switch "$answer[1]"
        case words
            printf '%s\\n' $answer[2..-1]
        case 'file *'
            set -l prefix (string sub -s 6 -- $answer[1])
            for path in (__fish_complete_path (string sub -s (math 1 + (string length -- "$prefix")) -- "$word"))
                printf '%s\\n' $prefix$path
            end
        case 'command *'
            set -l at (math 1 + (string sub -s 9 -- $answer[1]))
            complete -C (string join ' ' -- (string escape -- $words[$at..-1]) "$word")
    end
end
complete -c cloud-cli -f -k -a '(__cloud_cli_complete)'
`;

export const scripts = { bash, zsh, fish };
