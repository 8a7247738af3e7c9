-- What was found out about a branch, or told by a delivery that asks for no run.
-- @include clock
-- @include told_head
-- @arguments name branch before after forced sure
told_head(name, branch, before, after, forced, sure == '1', now())
return 1
