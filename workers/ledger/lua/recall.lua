-- Ask for an archived log or report to be brought back by whoever reports the run next; 0 when the
-- run is forgotten.
-- @include changed
-- @include clock
-- @include keys
-- @include note
-- @arguments id field what
if redis.call('EXISTS', run_key(id)) == 0 then return 0 end
note(id, {field, what})
changed(id, now())
return 1
