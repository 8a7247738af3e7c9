-- Remember what was told, and when the report is due again: after `delay` ms if that is given, at
-- once if the run has changed meanwhile, which without a delay is answered with 1.
-- @include clock
-- @include keys
-- @arguments id token revision told delay
if redis.call('GET', KEY.REPORTING .. id) ~= token then return 0 end
redis.call('DEL', KEY.REPORTING .. id)
if redis.call('EXISTS', run_key(id)) == 0 then
  redis.call('ZREM', KEY.REPORTS, id)
  return 0
end
redis.call('HSET', run_key(id), 'told', told)
if delay ~= '' then
  redis.call('ZADD', KEY.REPORTS, text(now() + tonumber(delay)), id)
elseif redis.call('HGET', run_key(id), 'revision') == revision then
  redis.call('ZREM', KEY.REPORTS, id)
else
  return 1
end
return 0
