-- Write down what became of a part of a run's whole log; with a mark, by the visit at work only:
-- what the log has up to there is in this part or an earlier one.
-- @include changed
-- @include clock
-- @include keys
-- @include run
-- @arguments id part what fence mark where
if redis.call('EXISTS', run_key(id)) == 0 then return 0 end
if mark ~= '' then
  if not holds(id, fence) then return 0 end
  redis.call('HSET', run_key(id), 'log_mark', mark)
end
if where ~= '' then redis.call('HSET', run_key(id), 'log_whole', where) end
redis.call('HSET', KEY.PARTS .. id, part, what)
-- An ended run's archive may have waited for it.
if redis.call('HEXISTS', run_key(id), 'finished_at') == 1 then due_report(id, now()) end
return 1
