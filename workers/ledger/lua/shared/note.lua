-- Fields of a run that its stages write.
-- @include keys

-- Write fields of a run, names and values in turn; never its state, which only `move` changes.
local function note(id, fields)
  for i = 1, #fields, 2 do
    if fields[i] == 'state' then error('the state of run ' .. id .. ' is changed by move alone', 0) end
  end
  for i = 1, #fields, 2 do redis.call('HSET', run_key(id), fields[i], fields[i + 1]) end
end
