-- A version of a function is gone: no longer known as published, and marked in the history of each
-- environment, so that a rollback makes it anew. `mark` is how it is known, `home` the account and
-- region that it was in; how many rows there were.
-- @include keys
-- @arguments published mark home name number deleted *environments
redis.call('HDEL', published, mark)
local marked = 0
for _, environment in ipairs(environments) do
  local key = KEY.RELEASED .. environment
  for at, row in ipairs(redis.call('LRANGE', key, 0, -1)) do
    -- Most rows are of other functions: looked at before they are decoded.
    if string.find(row, name, 1, true) then
      local record = cjson.decode(row)
      local there = (record.home or home) == home
      if there and record['function'] == name and record.version == number and not record.pruned then
        record.pruned = true
        redis.call('LSET', key, at - 1, cjson.encode(record))
        marked = marked + 1
      end
    end
  end
end
if deleted == '1' then redis.call('HINCRBY', KEY.METRICS, 'versions_pruned', 1) end
return marked
