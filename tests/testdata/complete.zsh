# Prints what zsh offers for each line, and an empty line after each:
#   zsh -f complete.zsh SCRIPT LINE...
# A completion needs a terminal, which zpty makes: in it zsh reads the line and a tab.
zmodload zsh/zpty
script=$1 folder=$(mktemp -d)
shift
cat >$folder/rc <<END
PROMPT=
autoload -Uz compinit
compinit -D -u
source ${(q)script}
compadd() {
  if [[ " \$* " == *\ -[OAD]\ * ]]; then builtin compadd "\$@"; return; fi
  local -a hits
  builtin compadd -O hits "\$@"
  if ((\$#hits)); then print -rl -- \$hits >>$folder/offered; fi
  builtin compadd "\$@"
}
tell() { print OFFERED; exit }
comppostfuncs=(tell)
zstyle ':completion:*' insert-tab false
bindkey '^I' complete-word
print READY
END
for line; do
  : >$folder/offered
  zpty shell zsh -f -i
  zpty -w shell "source $folder/rc"
  zpty -r shell said '*READY*'
  zpty -n -w shell $line$'\t'
  zpty -r shell said '*OFFERED*'
  zpty -d shell
  cat $folder/offered
  print
done
rm -r $folder
