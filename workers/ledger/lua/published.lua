-- Remember that a run published a version of a function, or found that Slipway had.
-- @include run
-- @arguments id fence published version
if not holds(id, fence) then return 0 end
redis.call('HSET', published, version, id)
return 1
