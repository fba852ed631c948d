package main
import ("fmt";"gopkg.in/yaml.v3";"strings";"bytes";"github.com/expr-lang/expr";"github.com/expr-lang/expr/file";"errors")
func main(){
 for _,s:=range []string{
  "version: 1\nrules:\n- id: a\n   for: loan\n",
  "version: 1\nrules:\n- id: a\n for: loan\n",
  "version: 1\nname: \"abc\nrules:\n- id: a\n  x: y\n",
  "version: 1\nenable: [manual\nrules:\n- id: a\n  x: y\n",
  "version: 1\nrules:\n- {id: a, for: loan\n- {id: b}\n",
  "version: 1\nrules:\n- id: a\n  for: loan\n  when: loan.x: 3\n  by: x\n",
  "version: 1\nrules:\n- id: a\n\tfor: loan\n",
  "version: 1\nrules：\n- id: a\n  for: loan\n",
  "version: 1\nrules:\n- id: *foo\n  for: loan\n",
  "version: 1\nrules:\n- id: \x01\n  for: loan\n",
  "version: 1\nrules:\n- id: `x\n  for: loan\n",
  "version: 1\nrules:\n- id: @x\n  for: loan\n",
  "version: 1\nrules:\n- id: \"a\\q\"\n  for: loan\n",
  "version: 1\nrules:\n- id: 'a'b\n  for: loan\n",
  "version: 1\nrules:\n- id: %a\n  for: loan\n",
  "version: 1\nrules:\n- id\n  for: loan\n",
  "version: 1\nrules\n- id: a\n  for: loan\n",
  "version: 1\nrules:\n- id: a\n  for: loan\n  except: [{if: x, why: y]\n  by: x\n- id: b\n",
  "version: 1\nrules:\n- id: a\n  for: loan\n  name: a\n  by：x\n  due: x\n",
  "version: 1\nrules:\n- id: a\n  for: loan\n  name: a\n   by: x\n  due: x\n",
 }{
  var n yaml.Node
  err:=yaml.Unmarshal([]byte(s),&n)
  ls:=strings.SplitAfter(s,"\n")
  fmt.Printf("%q\n  whole: %v\n",s,err)
  for i:=range ls { var m yaml.Node; e:=yaml.Unmarshal([]byte(strings.Join(ls[:i+1],"")),&m); fmt.Printf("   %d: %v\n",i+1,e)}
 }
 dec:=yaml.NewDecoder(bytes.NewReader([]byte("a: 1\n\n---\n\n# x\nb: 2\n---\nc: 1\n")))
 for { var n yaml.Node; if e:=dec.Decode(&n);e!=nil {fmt.Println(e);break}; fmt.Println(n.Line,n.Column,n.Content[0].Line)}
 for _,s:=range []string{"\"中文\" == foo", "\"中文\" == \n 3 +", "a.b..c", "“x”"} {
  _,err:=expr.Compile(s, expr.Env(map[string]int{}))
  var fe *file.Error
  if errors.As(err,&fe){ fmt.Printf("%q %+v L%d C%d %d-%d\n",s,fe.Message,fe.Line,fe.Column,fe.From,fe.To)} else {fmt.Println(err)}
 }
 for _,s:=range []string{"0.5","1.5 + 1", "\"x\""} { p,err:=expr.Compile(s,expr.AsInt()); fmt.Println(s,err); if err==nil {fmt.Println(expr.Run(p,nil))}}
}
